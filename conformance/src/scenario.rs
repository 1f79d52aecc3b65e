//! Decides what a scenario on disk is, and refuses what is none: with the path, the line and what to do. It does not
//! replay it.

mod expect;
mod folder;

use std::path::PathBuf;

use purchase_core::{catalog::Catalog, delivery::Headers, time::Timestamp};

use crate::schedule::{Schedule, Written};

pub use expect::{Expectation, Expected, Unmet};
pub(crate) use folder::files;
pub use folder::{ScenarioError, find};
pub(crate) use folder::{content, read_text};

/// What a provider sent, in its true order, and what must be true when all of it has arrived.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The folder's name.
    pub name: String,
    /// The folder; empty for a scenario of the kit's own.
    pub folder: PathBuf,
    /// What happens.
    pub title: String,
    /// The business promise, in one sentence.
    pub proves: String,
    /// The adapter that it is for.
    pub provider: String,
    /// The provider's API version.
    pub api_version: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The signing secret.
    pub secret: String,
    /// The reader's clock at the end.
    pub as_of: Timestamp,
    /// Prices and offers.
    pub catalog: Catalog,
    /// The deliveries that come, in their true order. Late ones stand at the end.
    pub deliveries: Vec<Recorded>,
    /// What must hold at the end; at least one.
    pub expectations: Vec<Expectation>,
}

/// Where a scenario comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Bodies that a provider really sent.
    Recorded,
    /// Bodies that an emulator of a provider sent.
    #[serde(alias = "twin")]
    Emulator,
    /// Bodies that were written.
    Written,
}

/// One delivery of a scenario.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its number, from its file's name.
    pub number: u32,
    /// The event type in its file's name.
    pub event_type: String,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// The headers, where they were recorded.
    pub headers: Option<Headers>,
    /// Whether it comes after the first read.
    pub late: bool,
}

impl Scenario {
    /// The longest order of which every permutation is executed in memory.
    pub const EXHAUSTIVE: usize = 6;
    /// The same on a store that outlives its process.
    pub const EXHAUSTIVE_ON_DISK: usize = 4;
    /// As [`EXHAUSTIVE`](Self::EXHAUSTIVE), on a store behind a server.
    pub const EXHAUSTIVE_ON_SERVER: usize = 3;

    /// A schedule with the deliveries' own numbers.
    pub fn written(&self, schedule: &Schedule) -> Written {
        let numbers: Vec<u32> = self.deliveries.iter().map(|delivery| delivery.number).collect();
        schedule.written(&numbers)
    }

    /// The index of the delivery with a number.
    pub fn index_of(&self, number: u32) -> Option<usize> {
        self.deliveries.iter().position(|delivery| delivery.number == number)
    }
}
