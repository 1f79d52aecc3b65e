//! What an emulator must supply: the meaning of calls, of passing time, and of what people do outside the API.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    call::{Call, Reply},
    chaos::Failure,
    draw::Draw,
    keys::Key,
    shared::{Event, Shared},
    truth::Truth,
};

/// A provider that lives in memory.
///
/// An implementor must make sure that
/// * everything depends only on the calls, the clock in [`Shared`] and the random numbers in [`Shared`];
/// * a call, or a parameter of a call, that isn't emulated is answered with [`Reply::not_emulated`], and changes nothing;
/// * a refused call changes nothing;
/// * its serialized form is all of its state.
pub trait Emulated: Clone + Serialize + DeserializeOwned + Send + 'static {
    /// What people do outside the API: a buyer at the checkout page, a bank, somebody at the dashboard.
    type Act: DeserializeOwned;

    /// The provider's name.
    const NAME: &'static str;

    /// Seconds between one attempt of a delivery and the next.
    const RETRY_SECONDS: &'static [i64];

    /// Whether a delivery is accepted when its receiver answers with this status.
    fn accepts(status: u16) -> bool;

    /// Answers a call.
    fn call(&mut self, shared: &mut Shared, call: &Call<'_>) -> Reply;

    /// Does what somebody does outside the API. The answer says what came of it.
    ///
    /// # Errors
    /// Why it can't be done, in words. Then nothing changed.
    fn act(&mut self, shared: &mut Shared, act: Self::Act) -> Result<Value, String>;

    /// When something happens by itself next, in microseconds since 1970.
    fn next_due(&self) -> Option<i64>;

    /// Does everything that is due at the clock. Afterwards [`next_due`](Self::next_due) is later than the clock.
    fn run_due(&mut self, shared: &mut Shared);

    /// The idempotency key of a call; none when it has none or the provider ignores it.
    fn key(&self, call: &Call<'_>) -> Option<Key>;

    /// The answer to a call whose key belongs to another request.
    fn key_conflict(&self, call: &Call<'_>) -> Reply;

    /// The answer of a provider that is rate limiting, broken or unavailable.
    fn failed(&self, failure: Failure) -> Reply;

    /// A new request id.
    fn request_id(draw: &mut Draw) -> String;

    /// Adds what every answer has: the request's id, the date, the API version. `original` is the id of the request
    /// whose answer is repeated.
    fn finish(&self, shared: &Shared, call: &Call<'_>, request_id: &str, original: Option<&str>, reply: Reply)
    -> Reply;

    /// The body of a delivery of an event, byte for byte. `number` is the delivery's number.
    fn delivery(&self, event: &Event, number: u64) -> Vec<u8>;

    /// The headers of a delivery, its signature among them. `at` is in seconds since 1970.
    fn sign(secret: &str, body: &[u8], at: i64) -> Vec<(String, String)>;

    /// The state in neutral words.
    fn truth(&self) -> Truth;
}
