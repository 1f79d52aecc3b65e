//! The integration tests, in one program, because linking a separate program per test file costs as much as linking all
//! of them.

mod blackout;
mod faults;
mod joined;
mod migrations;
mod races;
mod settings;
mod support;
