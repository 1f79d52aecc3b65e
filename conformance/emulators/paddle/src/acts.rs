//! Decides what people and banks can do outside the API, and which steps of Paddle's own an act can bring forward.

use purchase_emulator::Shared;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Paddle,
    account::{Account, DunningEnd},
    checkout::Buyer,
    fault::Fault,
    fields::Fields,
    subscription::Status,
    subscriptions::EffectiveFrom,
    times,
};

/// What somebody does outside the API.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Paddle approves a refund.
    ApproveRefund {
        /// The adjustment.
        adjustment: String,
    },
    /// A subscription is renewed now. Its period must be over. For accounts where that doesn't happen by itself.
    Bill {
        /// The subscription.
        subscription: String,
        /// Seconds until the stored card is charged.
        #[serde(default)]
        collect_after_seconds: i64,
    },
    /// Somebody cancels a subscription at the dashboard.
    Cancel {
        /// The subscription.
        subscription: String,
        /// When.
        effective_from: EffectiveFrom,
    },
    /// The stored card of a customer is declined from now on, or works again.
    Card {
        /// The customer.
        customer: String,
        /// Whether it works.
        works: bool,
    },
    /// Somebody changes a subscription's items at the dashboard, and bills nothing for it.
    ChangeItems {
        /// The subscription.
        subscription: String,
        /// All items, each with `price_id` and `quantity`.
        items: Vec<Value>,
    },
    /// A bank takes a payment back.
    Chargeback {
        /// The transaction.
        transaction: String,
        /// The amount in minor units; all of it when it is left out.
        #[serde(default)]
        amount: Option<i64>,
    },
    /// A bank warns of a chargeback.
    ChargebackWarning {
        /// The transaction.
        transaction: String,
    },
    /// A buyer pays at a checkout, or fails to.
    Checkout {
        /// The transaction.
        transaction: String,
        /// What the buyer enters.
        buyer: Buyer,
    },
    /// Somebody edits an object at the dashboard: a product, a price, a customer, an address, or a subscription's custom
    /// data.
    Edit {
        /// The object.
        id: String,
        /// The fields, as a request would have them.
        fields: Value,
    },
    /// Paddle stops collecting what a subscription owes.
    GiveUp {
        /// The subscription.
        subscription: String,
        /// What happens to it.
        end: DunningEnd,
    },
    /// A buyer opens a checkout that the application's page filled.
    OpenCheckout {
        /// The items, each with `price_id` and `quantity`.
        items: Vec<Value>,
        /// The custom data of the transaction.
        #[serde(default)]
        custom_data: Value,
    },
    /// Somebody pauses a subscription at the dashboard.
    Pause {
        /// The subscription.
        subscription: String,
        /// When.
        effective_from: EffectiveFrom,
        /// When it resumes by itself.
        #[serde(default)]
        resume_at: Option<String>,
    },
    /// A customer pays an invoice by bank transfer.
    PayInvoice {
        /// The transaction.
        transaction: String,
    },
    /// Paddle rejects a refund.
    RejectRefund {
        /// The adjustment.
        adjustment: String,
    },
    /// Somebody resumes a subscription at the dashboard.
    Resume {
        /// The subscription.
        subscription: String,
    },
    /// What a subscription owes is collected again now.
    Retry {
        /// The subscription.
        subscription: String,
    },
    /// A chargeback is won back, a warning is called off, or a credit is taken back.
    Reverse {
        /// The adjustment.
        adjustment: String,
    },
    /// Somebody changes the settings of the account. Those that are left out get their default.
    Settings {
        /// The settings.
        account: Account,
    },
    /// A bank settles a payment that waited.
    SettlePayment {
        /// The transaction.
        transaction: String,
        /// Whether it succeeds.
        succeeds: bool,
    },
    /// A subscription's scheduled change takes effect. Its time must have come. For accounts where that doesn't happen
    /// by itself.
    TakeEffect {
        /// The subscription.
        subscription: String,
    },
}

impl Paddle {
    pub(crate) fn do_act(&mut self, shared: &mut Shared, act: Act) -> Result<Value, Fault> {
        match act {
            Act::ApproveRefund { adjustment } => self.decide(shared, &adjustment, true).map(|()| json!({})),
            Act::Card { customer, works } => {
                let it = self.customers.get_mut(&customer).ok_or_else(|| Fault::not_found(&customer))?;
                it.card_fails = !works;
                Ok(json!({}))
            }
            Act::Chargeback { transaction, amount } => {
                let id = self.charge_back(shared, &transaction, amount, false)?;
                Ok(json!({ "adjustment": id }))
            }
            Act::ChargebackWarning { transaction } => {
                let id = self.charge_back(shared, &transaction, None, true)?;
                Ok(json!({ "adjustment": id }))
            }
            Act::Checkout { transaction, buyer } => {
                let paid = self.buy(shared, &transaction, &buyer)?;
                let subscription = self.transactions.get(&transaction).and_then(|it| it.subscription.clone());
                let customer = self.transactions.get(&transaction).and_then(|it| it.customer.clone());
                Ok(json!({ "paid": paid, "subscription": subscription, "customer": customer }))
            }
            Act::Edit { id, fields } => self.update(shared, &id, Fields::of(fields)?).map(|()| json!({})),
            Act::OpenCheckout { items, custom_data } => {
                let body = json!({ "items": items, "custom_data": custom_data });
                Ok(json!({ "transaction": self.open_checkout(shared, body)? }))
            }
            Act::PayInvoice { transaction } => {
                let it = self.transactions.get(&transaction).ok_or_else(|| Fault::not_found(&transaction))?;
                use crate::transaction::Status::{Billed, PastDue};
                if it.manual.is_none() || !matches!(it.status, Billed | PastDue) {
                    return Err(Fault::field("transaction", "must be an issued invoice"));
                }
                self.capture(shared, &transaction);
                Ok(json!({}))
            }
            Act::RejectRefund { adjustment } => self.decide(shared, &adjustment, false).map(|()| json!({})),
            Act::Reverse { adjustment } => Ok(json!({ "adjustment": self.reverse(shared, &adjustment)? })),
            Act::Settings { account } => {
                self.account = account;
                Ok(json!({}))
            }
            Act::SettlePayment { transaction, succeeds } => {
                Ok(json!({ "paid": self.settle(shared, &transaction, succeeds)? }))
            }
            steering => self.steer(shared, steering),
        }
    }

    /// What is done to a subscription.
    fn steer(&mut self, shared: &mut Shared, act: Act) -> Result<Value, Fault> {
        match act {
            Act::Bill { subscription: id, collect_after_seconds } => {
                let it = self.subscription(&id)?;
                let runs = matches!(it.status, Status::Active | Status::Trialing) && it.scheduled.is_none();
                if !runs || it.period.end > shared.now {
                    return Err(Fault::field("subscription", "must run, and its period must be over"));
                }
                self.renew(shared, &id, collect_after_seconds);
                let latest = self.transactions.values().filter(|it| it.subscription.as_ref() == Some(&id));
                let latest = latest.max_by_key(|it| it.times.created).map(|it| it.id.clone());
                Ok(json!({ "transaction": latest }))
            }
            Act::Cancel { subscription: id, effective_from } => {
                self.cancel(shared, &id, Some(effective_from)).map(|()| json!({}))
            }
            Act::ChangeItems { subscription: id, items } => self.change_items(shared, &id, items).map(|()| json!({})),
            Act::GiveUp { subscription: id, end } => {
                self.subscription(&id)?.owed.as_ref().ok_or_else(owes_nothing)?;
                self.give_up(shared, &id, end);
                Ok(json!({}))
            }
            Act::Pause { subscription: id, effective_from, resume_at } => {
                let resume_at = resume_at.map(|text| times::parse(&text));
                if resume_at == Some(None) {
                    return Err(Fault::field("resume_at", "must be an RFC 3339 datetime string"));
                }
                self.pause(shared, &id, Some(effective_from), resume_at.flatten()).map(|()| json!({}))
            }
            Act::Resume { subscription: id } => self.resume(shared, &id, None).map(|()| json!({})),
            Act::Retry { subscription: id } => {
                self.subscription(&id)?.owed.as_ref().ok_or_else(owes_nothing)?;
                Ok(json!({ "paid": self.retry(shared, &id) }))
            }
            Act::TakeEffect { subscription: id } => {
                if self.subscription(&id)?.scheduled.is_none_or(|it| it.effective_at > shared.now) {
                    return Err(Fault::field("subscription", "must have a scheduled change whose time has come"));
                }
                self.take_effect(shared, &id);
                Ok(json!({}))
            }
            _ => Err(Fault::not_emulated("the act")),
        }
    }
}

fn owes_nothing() -> Fault {
    Fault::field("subscription", "must be past due")
}
