//! The integration tests, in one program: each that is linked on its own costs as much as all of them.

mod blackout;
mod faults;
mod joined;
mod migrations;
mod races;
mod settings;
mod support;
