//! Decides what an adapter must say. An adapter is pure: values in, values out; no clock, no network, no store.

mod requests;
mod webhooks;

pub use self::{
    requests::{Exchange, HttpRequest, HttpResponse, Method, Operation, Outcome, Requests, Step},
    webhooks::{Event, EventHead, FetchNeed, Meaning, ReadFault, Remark, Unreadable, Webhooks},
};
use crate::{capability::Capabilities, id::ProviderName};

/// A provider, as its adapter knows it: what holds for all of it, and a part for each direction.
///
/// An implementor must make sure that
/// * every method, those of the parts too, is a pure function of its arguments and of the configuration given at
///   construction;
/// * no error, and no `Debug`, holds a secret, a provider id or customer data.
pub trait Provider: Send + Sync {
    /// The adapter's name, as in the endpoint's path.
    fn name(&self) -> &ProviderName;

    /// What the adapter declares. The kit tests both what is declared and what isn't.
    fn capabilities(&self) -> Capabilities;

    /// How long this provider goes on collecting a renewal after it first failed, at most, in seconds. Access in grace ends
    /// then, also without news.
    fn longest_dunning_seconds(&self) -> i64;

    /// The receiving side: what the provider sends.
    fn webhooks(&self) -> &dyn Webhooks;

    /// The outgoing side: what is asked of the provider. None where the adapter only receives.
    fn requests(&self) -> Option<&dyn Requests>;
}
