//! The script that plays stories in the emulated Paddle.

#[path = "../../conformance/emulators/paddle/tests/it/common/mod.rs"]
#[allow(dead_code, reason = "the emulator's own tests use more of it")]
mod common;
#[path = "../../conformance/emulators/paddle/tests/it/script.rs"]
mod script;

pub(crate) use script::Script as PaddleScript;
