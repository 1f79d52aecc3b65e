//! What the emulators of providers share: a clock that moves only when it is moved, the queue of deliveries, chaos,
//! idempotency keys, logs, pages, and the truth in neutral words. What a call means is each emulator's own matter.
//!
//! A [`World`] is a provider that lives in memory. It does no I/O: requests come in as values, and deliveries go out as
//! values. The same seed and the same calls give the same bytes.
//!
//! | module | what it decides |
//! |---|---|
//! | [`emulated`] | what an emulator must supply |
//! | [`world`] | how a request, a passing of time and a delivery go through |
//! | [`control`] | the routes under `/_emulator` |
//! | [`shared`] | what calls see of the world: clock, random numbers, events |
//! | [`call`], [`page`] | requests and answers, and lists of objects |
//! | [`chaos`], [`queue`] | what goes wrong on purpose, and when a delivery is due |
//! | [`keys`], [`log`] | idempotency keys, and what was asked |
//! | `document` | whether a body is as the provider's official document says; feature `testing` |
//! | `serve` | an emulator as a command; feature `serve` |
//! | `lifecycles` | whether an adapter ends random lifecycles in the truth; feature `testing` |
//! | [`truth`] | the state in neutral words, and how a projection differs from it |

pub mod call;
pub mod chaos;
pub mod control;
#[cfg(feature = "testing")]
pub mod document;
pub mod draw;
pub mod emulated;
pub mod keys;
#[cfg(feature = "testing")]
pub mod lifecycles;
pub mod log;
pub mod page;
pub mod queue;
#[cfg(feature = "serve")]
pub mod serve;
pub mod shared;
pub mod truth;
pub mod world;

pub use call::{Call, Reply};
pub use emulated::Emulated;
pub use shared::{Event, Shared};
pub use truth::Truth;
pub use world::{Settings, World};
