//! A stateful Paddle Billing that lives in memory. It does no I/O: a [`World`](purchase_emulator::World) answers
//! requests, lets time pass, and hands out signed deliveries.
//!
//! What it does follows Paddle's OpenAPI document of 2025-05-27, its error reference, the orders of events that it
//! documents for its webhook simulator, and recorded events. A call or a parameter that it lacks is answered with the
//! status 501 and the code `not_emulated`. There is no tax, no discount, and one currency in each transaction.
//!
//! | module | what it decides |
//! |---|---|
//! | [`account`] | the settings, and the oddities of events |
//! | [`acts`] | what people and banks do outside the API |
//! | `route`, `query`, `fields`, `fault` | which call it is, what it asks, and how it is refused |
//! | `catalog`, `customers`, `transaction`, `subscription`, `adjustment` | what objects are, and how they are shown |
//! | `transactions`, `subscriptions`, `adjustments`, `notifications` | what requests do |
//! | `checkout`, `billing`, `due` | what buyers, cards and time do |
//! | `events`, `later` | what events show, when they occurred, and which newer fields objects have |
//! | `pages`, `portal` | the pages of the checkout and of the portal |
//! | `truth` | the state in neutral words |

pub mod account;
pub mod acts;
mod adjustment;
mod adjustments;
mod billing;
mod catalog;
pub mod checkout;
mod customers;
mod deliver;
mod due;
mod event_types;
mod events;
mod fault;
mod fields;
mod ids;
mod later;
mod money;
mod notifications;
mod pages;
mod portal;
mod query;
mod route;
mod subscription;
pub mod subscriptions;
mod times;
mod transaction;
mod transactions;
mod truth;

use std::collections::BTreeMap;

use purchase_emulator::{Call, Emulated, Event, Reply, Shared, Truth, chaos::Failure, draw::Draw, keys::Key};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use account::Account;
pub use acts::Act;
use fault::Fault;

/// An account at Paddle.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Paddle {
    account: Account,
    /// The time of the last change or event, in microseconds since 1970.
    clock: i64,
    products: BTreeMap<String, catalog::Product>,
    prices: BTreeMap<String, catalog::Price>,
    customers: BTreeMap<String, customers::Customer>,
    addresses: BTreeMap<String, customers::Address>,
    transactions: BTreeMap<String, transaction::Transaction>,
    subscriptions: BTreeMap<String, subscription::Subscription>,
    adjustments: BTreeMap<String, adjustment::Adjustment>,
    portal_sessions: BTreeMap<String, portal::PortalSession>,
    /// How many documents have a number.
    invoices: u32,
    /// The last change of each transaction that an event showed.
    told: BTreeMap<String, i64>,
    /// What events show instead of the time of an object's last change.
    misdated: BTreeMap<String, String>,
    /// When deliveries were asked for again, by their numbers.
    replayed: BTreeMap<u64, i64>,
}

impl Paddle {
    /// An empty account with these settings.
    pub fn new(account: Account) -> Self {
        Self { account, ..Self::default() }
    }

    /// The settings.
    pub fn account(&self) -> &Account {
        &self.account
    }
}

impl Emulated for Paddle {
    type Act = Act;

    const NAME: &'static str = "paddle";
    const RETRY_SECONDS: &'static [i64] = &deliver::RETRY_SECONDS;

    /// Documented: Paddle must be answered with 200.
    fn accepts(status: u16) -> bool {
        status == 200
    }

    fn call(&mut self, shared: &mut Shared, call: &Call<'_>) -> Reply {
        self.answer(shared, call)
    }

    fn act(&mut self, shared: &mut Shared, act: Act) -> Result<Value, String> {
        self.do_act(shared, act).map_err(|fault| fault.to_string())
    }

    fn next_due(&self) -> Option<i64> {
        self.due()
    }

    fn run_due(&mut self, shared: &mut Shared) {
        self.do_due(shared);
    }

    /// Paddle's API has no idempotency keys.
    fn key(&self, _: &Call<'_>) -> Option<Key> {
        None
    }

    fn key_conflict(&self, _: &Call<'_>) -> Reply {
        Fault::shared(409, "conflict", "Request conflicts with another change.").reply()
    }

    fn failed(&self, failure: Failure) -> Reply {
        match failure {
            Failure::RateLimited => {
                let detail = "IP address exceeded the allowed rate limit. Retry after the number of seconds in the \
                              Retry-After header.";
                Fault::shared(429, "too_many_requests", detail).reply().with("Retry-After", "1")
            }
            Failure::Unavailable => {
                Fault::shared(503, "service_unavailable", "Service is temporarily unavailable.").reply()
            }
            _ => Fault::shared(500, "internal_error", "Something went wrong.").reply(),
        }
    }

    fn request_id(draw: &mut Draw) -> String {
        ids::uuid(draw)
    }

    /// Every answer in JSON names its request.
    fn finish(&self, _: &Shared, _: &Call<'_>, request_id: &str, _: Option<&str>, reply: Reply) -> Reply {
        match serde_json::from_slice::<Value>(&reply.body) {
            Ok(mut body) if reply.content_type == "application/json" => {
                body["meta"]["request_id"] = json!(request_id);
                Reply { body: body.to_string().into_bytes(), ..reply }
            }
            _ => reply,
        }
    }

    fn delivery(&self, event: &Event, number: u64) -> Vec<u8> {
        deliver::body(event, number)
    }

    fn sign(secret: &str, body: &[u8], at: i64) -> Vec<(String, String)> {
        deliver::headers(secret, body, at)
    }

    fn truth(&self) -> Truth {
        self.all_truth()
    }
}
