//! The integration tests, in one program: each that is linked on its own costs as much as all of them.

mod kit;
mod rendered;
mod stories;
