//! Holds the integration tests in one program, because linking each one separately costs as much as linking all of
//! them.

mod kit;
mod rendered;
mod stories;
