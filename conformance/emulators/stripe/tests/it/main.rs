//! The emulator as its users see it.

mod bench;
mod billing;
mod calls;
mod checkout;
mod documents;
mod money;
mod pages;
