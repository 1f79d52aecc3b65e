//! The contract of an adapter. An adapter is pure: values in, values out; no clock, no network, no store.

mod requests;
mod webhooks;

pub use self::{
    requests::{Exchange, Operation, Outcome, Requests, Step},
    webhooks::{Event, EventHead, FetchNeed, Meaning, ReadFault, Remark, Unreadable, Webhooks},
};
use crate::{capability::Capabilities, id::ProviderName};

/// A provider as its adapter describes it: its general properties, and one part per direction.
///
/// An implementor must make sure that
/// * every method, including those of the parts, is a pure function of its arguments and of the configuration given
///   at construction;
/// * no error, and no `Debug`, contains a secret, a provider id or customer data.
pub trait Provider: Send + Sync {
    /// The adapter's name, as used in the endpoint's path.
    fn name(&self) -> &ProviderName;

    /// What the adapter declares. The conformance kit tests both declared and undeclared capabilities.
    fn capabilities(&self) -> Capabilities;

    /// How long this provider's dunning lasts at most after a renewal first failed, in seconds. Access in grace ends
    /// then, even without news.
    fn longest_dunning_seconds(&self) -> i64;

    /// The receiving side: what the provider sends.
    fn webhooks(&self) -> &dyn Webhooks;

    /// The outgoing side: requests to the provider. `None` where the adapter only receives.
    fn requests(&self) -> Option<&dyn Requests>;
}
