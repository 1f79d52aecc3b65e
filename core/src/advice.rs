//! What to do about a refusal: one sentence for each stable code. The page [`docs::errors`](crate::docs::errors) lists them
//! all.

use crate::{
    error::{Refusal, StoreError},
    provider::ReadFault,
    verify::SignatureError,
};

impl Refusal {
    /// What the operator or the developer does about it, in one sentence.
    pub fn advice(&self) -> &'static str {
        match self {
            Refusal::BodyTooLarge { .. } => {
                "Raise `Limits::body_bytes` if the provider really sends bodies of this size."
            }
            Refusal::Closing => "Nothing: the provider sends the delivery again.",
            Refusal::Conflict { .. } => {
                "List both bodies with `Engine::conflicts`. Look for a leaked signing secret, or for a proxy that changes bodies."
            }
            Refusal::Contended { .. } => {
                "If this is rare, do nothing: the provider sends the delivery again. Otherwise look for a process that writes the \
                 same customer without pause."
            }
            Refusal::KeyConflict { .. } => "Send the first content again, or use another key for the new content.",
            Refusal::LeaseLost => "Choose a lease that is longer than a batch takes, and synchronize the clocks.",
            Refusal::Overloaded { .. } => {
                "If this is rare, do nothing: the provider sends the delivery again. Otherwise add processes, or use queue mode."
            }
            Refusal::Signature(fault) => fault.advice(),
            Refusal::Store(fault) => fault.advice(),
            Refusal::TooMany { .. } => "Pass fewer deliveries in one call, or raise `Limits::deliveries`.",
            Refusal::Undecided => "Report it: this is a defect of the library.",
            Refusal::UnknownProvider { .. } => {
                "Register the adapter under this name, or correct the address at the provider."
            }
            Refusal::Unreadable { fault, .. } => fault.advice(),
        }
    }
}

impl SignatureError {
    /// What to do about it, in one sentence.
    pub fn advice(&self) -> &'static str {
        match self {
            SignatureError::Future { .. } => "Synchronize this machine's clock.",
            SignatureError::Malformed { .. } => {
                "Check that the request comes from the provider and that no proxy rewrites its headers."
            }
            SignatureError::Mismatch { .. } => {
                "Compare the endpoint's signing secret with the provider's, and make sure that the raw body is passed unchanged."
            }
            SignatureError::Missing { .. } => {
                "Check that the request comes from the provider and that no proxy drops its headers."
            }
            SignatureError::NoScheme { .. } => {
                "Check that the provider signs deliveries to this endpoint with the scheme in the message."
            }
            SignatureError::Stale { .. } => {
                "Synchronize this machine's clock. If a queue precedes the endpoint, pass the time at which the queue received the delivery."
            }
        }
    }
}

impl ReadFault {
    /// What to do about it, in one sentence.
    pub fn advice(&self) -> &'static str {
        match self {
            ReadFault::Future { .. } => {
                "Check this machine's clock. The event is stored and used once its time has arrived."
            }
            ReadFault::NoAdapter => "Register the adapter, or leave the event to the service that has it.",
            ReadFault::NotJson { .. } | ReadFault::NotUtf8 { .. } => {
                "Look at the stored body. If the provider sent it, report this defect, and replay the event after the fix."
            }
            ReadFault::Shape { .. } => {
                "Look at the JSON path. If the provider changed its API, upgrade the library and replay the event."
            }
            ReadFault::WrongAccount => "Correct the endpoint's account, or point the provider at the right endpoint.",
            ReadFault::WrongMode { .. } => {
                "Send test events to an endpoint for test events, and live events to an endpoint for live events."
            }
        }
    }
}

impl StoreError {
    /// What to do about it, in one sentence.
    pub fn advice(&self) -> &'static str {
        match self {
            StoreError::Busy { .. } => {
                "If this is rare, do nothing. On SQLite, let only one process write; elsewhere raise the connection or request limit."
            }
            StoreError::Corrupt { .. } => {
                "Look at the named table. Restore it, or run `Engine::rebuild` for derived tables."
            }
            StoreError::Full { .. } => "Make room on the database's disk.",
            StoreError::ReadOnly { .. } => "Give this process the right to write to the file and to its folder.",
            StoreError::Refused { .. } => "Report it with the cause from the log: this is a defect of the library.",
            StoreError::SchemaMissing { .. } | StoreError::SchemaOlder { .. } => "Run the store's migrations.",
            StoreError::SchemaNewer { .. } => "Upgrade this process: a newer library has migrated the database.",
            StoreError::TimedOut { .. } => {
                "If this is rare, do nothing. Otherwise look for long transactions and locks in the database."
            }
            StoreError::Unavailable { .. } => "Check that the database runs and that its address is right.",
        }
    }
}
