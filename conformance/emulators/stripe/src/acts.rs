//! What people do outside the API: buyers, banks, and somebody at the dashboard.

use std::collections::BTreeMap;

use purchase_emulator::Shared;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    cards::{Decline, TestMethod},
    deeds::{
        checkout::{Buyers, Outcome},
        collect::Attempt,
    },
    params::MOST_QUANTITY,
    settings::AfterRetries,
    show::Kind,
    state::{Buyer, ChargeStatus, DisputeStatus, InvoiceStatus, RefundsBegin, SubscriptionStatus},
    stripe::Stripe,
};

/// Something that somebody does.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// A buyer leaves the checkout page. The session stays open until it expires.
    AbandonCheckout {
        /// The session.
        session: String,
    },
    /// Somebody cancels a subscription at the dashboard, immediately.
    CancelSubscription {
        /// The subscription.
        subscription: String,
    },
    /// The bank decides a dispute, or an inquiry is closed.
    CloseDispute {
        /// The dispute.
        dispute: String,
        /// How it ends.
        outcome: DisputeOutcome,
    },
    /// A buyer submits the checkout page.
    CompleteCheckout {
        /// The session.
        session: String,
        /// The payment method.
        #[serde(default = "visa")]
        method: TestMethod,
        /// The buyer's e-mail address, where the session knows none.
        #[serde(default)]
        email: Option<String>,
        /// The buyer's name.
        #[serde(default)]
        name: Option<String>,
        /// Whether 3-D Secure succeeds, where the payment method needs it.
        #[serde(default = "yes")]
        authenticates: bool,
    },
    /// Somebody edits a customer at the dashboard.
    EditCustomer {
        /// The customer.
        customer: String,
        /// The new e-mail address.
        #[serde(default)]
        email: Option<String>,
        /// The new name.
        #[serde(default)]
        name: Option<String>,
        /// The new metadata, whole.
        #[serde(default)]
        metadata: Option<BTreeMap<String, String>>,
    },
    /// Somebody edits a subscription at the dashboard. Nothing is billed for it.
    EditSubscription {
        /// The subscription.
        subscription: String,
        /// The new items, whole.
        #[serde(default)]
        items: Option<Vec<NewItem>>,
        /// The new metadata, whole.
        #[serde(default)]
        metadata: Option<BTreeMap<String, String>>,
    },
    /// The period of a subscription ends, before or at its time.
    EndPeriod {
        /// The subscription.
        subscription: String,
    },
    /// An inquiry becomes a dispute.
    EscalateInquiry {
        /// The dispute.
        dispute: String,
    },
    /// A draft invoice is finalized and collected, before or at its time.
    FinalizeInvoice {
        /// The invoice.
        invoice: String,
    },
    /// The retries of a subscription's payment are over.
    GiveUp {
        /// The subscription.
        subscription: String,
        /// What becomes of the subscription; otherwise what the settings say.
        #[serde(default)]
        becomes: Option<AfterRetries>,
    },
    /// From now on nothing of billing happens by itself: no period ends, no invoice is finalized, no payment is tried
    /// again. Or it does again, and what has become due happens.
    HoldBilling {
        /// Whether billing waits for acts.
        held: bool,
    },
    /// A buyer's bank opens a dispute, or an inquiry.
    OpenDispute {
        /// The payment intent.
        payment_intent: String,
        /// The amount; otherwise the whole payment.
        #[serde(default)]
        amount: Option<i64>,
        /// The reason.
        #[serde(default = "fraudulent")]
        reason: String,
        /// Whether it is an inquiry, which takes no money.
        #[serde(default)]
        inquiry: bool,
    },
    /// Somebody pauses a subscription at the dashboard. Only API versions after dahlia document a call for it.
    PauseSubscription {
        /// The subscription.
        subscription: String,
    },
    /// How refunds of a payment begin, from now on.
    RefundsBegin {
        /// The payment intent.
        payment_intent: String,
        /// How.
        begin: RefundsBegin,
    },
    /// Somebody resumes a paused subscription at the dashboard.
    ResumeSubscription {
        /// The subscription.
        subscription: String,
    },
    /// The payment of an open invoice is tried again, as if the schedule said so.
    RetryInvoice {
        /// The invoice.
        invoice: String,
    },
    /// The saved payment methods of a customer work from now on, or fail.
    SetPaymentMethods {
        /// The customer.
        customer: String,
        /// Why they fail; none when they work.
        #[serde(default)]
        decline: Option<Decline>,
    },
    /// A bank debit ends, before or at its time.
    SettleDebit {
        /// The payment intent.
        payment_intent: String,
        /// Whether it succeeds.
        succeeds: bool,
    },
    /// The bank decides a pending refund, or sends back one that had succeeded.
    SettleRefund {
        /// The refund.
        refund: String,
        /// Whether it succeeds.
        succeeds: bool,
    },
}

/// An item of a subscription.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewItem {
    /// The price.
    pub price: String,
    /// The quantity.
    pub quantity: i64,
}

/// How a dispute ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeOutcome {
    /// The money is lost.
    Lost,
    /// An inquiry is closed without a dispute.
    WarningClosed,
    /// The money comes back.
    Won,
}

fn visa() -> TestMethod {
    TestMethod::Visa
}

fn yes() -> bool {
    true
}

fn fraudulent() -> String {
    "fraudulent".to_owned()
}

impl Stripe {
    pub(crate) fn do_act(&mut self, shared: &mut Shared, act: Act) -> Result<Value, String> {
        match act {
            Act::AbandonCheckout { session } => Ok(self.existing(Kind::Session, &session)?),
            Act::CompleteCheckout { session, method, email, name, authenticates } => {
                let authenticates = method.needs_authentication().then_some(authenticates);
                let buyers = Buyers { method, buyer: Buyer { email, name }, authenticates };
                self.complete_checkout(shared, &session, buyers)
            }
            Act::EditCustomer { .. } | Act::SetPaymentMethods { .. } => self.act_on_customer(shared, act),
            Act::CloseDispute { .. } | Act::EscalateInquiry { .. } | Act::OpenDispute { .. } => {
                self.act_on_dispute(shared, act)
            }
            Act::FinalizeInvoice { .. } | Act::RetryInvoice { .. } => self.act_on_invoice(shared, act),
            Act::RefundsBegin { .. } | Act::SettleDebit { .. } | Act::SettleRefund { .. } => {
                self.act_on_money(shared, act)
            }
            Act::HoldBilling { held } => {
                self.agenda.held = held;
                self.run_agenda(shared);
                Ok(json!({ "held": held }))
            }
            Act::CancelSubscription { .. }
            | Act::EditSubscription { .. }
            | Act::EndPeriod { .. }
            | Act::GiveUp { .. }
            | Act::PauseSubscription { .. }
            | Act::ResumeSubscription { .. } => self.act_on_subscription(shared, act),
        }
    }

    fn existing(&self, kind: Kind, id: &str) -> Result<Value, String> {
        self.show(kind, id).ok_or_else(|| format!("there is no {} {id}", kind.name()))
    }

    /// An attempt with 3-D Secure first waits for the buyer, and then ends.
    fn complete_checkout(&mut self, shared: &mut Shared, id: &str, buyers: Buyers) -> Result<Value, String> {
        let outcome = match buyers.authenticates {
            None => self.submit(shared, id, buyers)?,
            Some(_) => {
                self.submit(shared, id, Buyers { authenticates: None, ..buyers.clone() })?;
                self.submit(shared, id, buyers)?
            }
        };
        let declined = match outcome {
            Outcome::Declined(decline) => Some(decline.message()),
            _ => None,
        };
        Ok(json!({
            "complete": outcome == Outcome::Complete, "declined": declined,
            "session": self.shown(Kind::Session, id),
            // The payment intent of a subscription's session is shown nowhere else.
            "payment_intent": self.sessions.at(id).intent,
        }))
    }

    fn act_on_customer(&mut self, shared: &mut Shared, act: Act) -> Result<Value, String> {
        match act {
            Act::EditCustomer { customer, email, name, metadata } => {
                self.living_customer(&customer).ok_or_else(|| format!("there is no customer {customer}"))?;
                self.changing(shared, "customer.updated", (Kind::Customer, &customer), |it, _| {
                    let it = it.customers.change(&customer);
                    it.email = email.or(it.email.take());
                    it.name = name.or(it.name.take());
                    it.metadata = metadata.unwrap_or(std::mem::take(&mut it.metadata));
                });
                self.existing(Kind::Customer, &customer)
            }
            Act::SetPaymentMethods { customer, decline } => {
                self.living_customer(&customer).ok_or_else(|| format!("there is no customer {customer}"))?;
                let own = self.methods.all().filter(|it| it.customer.as_ref() == Some(&customer));
                for method in own.map(|it| it.id.clone()).collect::<Vec<_>>() {
                    self.methods.change(&method).declines = decline;
                }
                self.existing(Kind::Customer, &customer)
            }
            _ => Err("it is no act on a customer".to_owned()),
        }
    }

    fn act_on_dispute(&mut self, shared: &mut Shared, act: Act) -> Result<Value, String> {
        let id = match act {
            Act::OpenDispute { payment_intent, amount, reason, inquiry } => {
                let charge = self.succeeded_charge(&payment_intent)?;
                let whole = self.charges.at(&charge).amount;
                let amount = amount.unwrap_or(whole);
                if amount < 1 || amount > whole {
                    return Err(format!("the amount is not between 1 and {whole}"));
                }
                self.dispute(shared, &charge, amount, &reason, inquiry)
            }
            Act::EscalateInquiry { dispute } => {
                let status = self.disputes.find(&dispute).map(|it| it.status);
                if status != Some(DisputeStatus::WarningNeedsResponse) {
                    return Err(format!("{dispute} is no open inquiry"));
                }
                self.escalate(shared, &dispute);
                dispute
            }
            Act::CloseDispute { dispute, outcome } => {
                let status = self.disputes.find(&dispute).map(|it| it.status);
                let becomes = match (status, outcome) {
                    (Some(DisputeStatus::NeedsResponse | DisputeStatus::UnderReview), DisputeOutcome::Lost) => {
                        DisputeStatus::Lost
                    }
                    // Recorded: a dispute that was lost can still be won.
                    (
                        Some(DisputeStatus::NeedsResponse | DisputeStatus::UnderReview | DisputeStatus::Lost),
                        DisputeOutcome::Won,
                    ) => DisputeStatus::Won,
                    (Some(DisputeStatus::WarningNeedsResponse), DisputeOutcome::WarningClosed) => {
                        DisputeStatus::WarningClosed
                    }
                    _ => return Err(format!("{dispute} can't end as {outcome:?}")),
                };
                self.close_dispute(shared, &dispute, becomes);
                dispute
            }
            _ => return Err("it is no act on a dispute".to_owned()),
        };
        self.existing(Kind::Dispute, &id)
    }

    fn succeeded_charge(&self, intent: &str) -> Result<String, String> {
        let charge = self.intents.find(intent).and_then(|it| it.latest_charge.clone());
        let charge = charge.filter(|id| self.charges.at(id).status == ChargeStatus::Succeeded);
        charge.ok_or_else(|| format!("{intent} has no charge that succeeded"))
    }

    fn act_on_invoice(&mut self, shared: &mut Shared, act: Act) -> Result<Value, String> {
        let (Act::FinalizeInvoice { invoice } | Act::RetryInvoice { invoice }) = &act else {
            return Err("it is no act on an invoice".to_owned());
        };
        let status = self.invoices.find(invoice).map(|it| (it.status, it.auto_advance));
        match (&act, status) {
            (Act::FinalizeInvoice { .. }, Some((InvoiceStatus::Draft, true))) => {
                self.finalize_and_collect(shared, invoice);
            }
            (Act::RetryInvoice { .. }, Some((InvoiceStatus::Open, _))) => {
                self.collect(shared, invoice, Attempt::Scheduled);
            }
            _ => return Err(format!("there is no such invoice, or it is in another state: {invoice}")),
        }
        self.existing(Kind::Invoice, invoice)
    }

    fn act_on_money(&mut self, shared: &mut Shared, act: Act) -> Result<Value, String> {
        match act {
            Act::RefundsBegin { payment_intent, begin } => {
                let charge = self.succeeded_charge(&payment_intent)?;
                self.charges.change(&charge).refunds_begin = begin;
                self.existing(Kind::Charge, &charge)
            }
            Act::SettleDebit { payment_intent, succeeds } => {
                self.existing(Kind::Intent, &payment_intent)?;
                self.end_debit(shared, &payment_intent, (!succeeds).then_some(Decline::DebitReturned));
                self.existing(Kind::Intent, &payment_intent)
            }
            Act::SettleRefund { refund, succeeds } => {
                self.existing(Kind::Refund, &refund)?;
                self.settle_refund(shared, &refund, succeeds);
                self.existing(Kind::Refund, &refund)
            }
            _ => Err("it is no act on money".to_owned()),
        }
    }

    fn act_on_subscription(&mut self, shared: &mut Shared, act: Act) -> Result<Value, String> {
        let (Act::CancelSubscription { subscription: id }
        | Act::EditSubscription { subscription: id, .. }
        | Act::EndPeriod { subscription: id }
        | Act::GiveUp { subscription: id, .. }
        | Act::PauseSubscription { subscription: id }
        | Act::ResumeSubscription { subscription: id }) = &act
        else {
            return Err("it is no act on a subscription".to_owned());
        };
        let id = id.clone();
        let found = self.subscriptions.find(&id).filter(|it| !it.is_over());
        let status = found.ok_or_else(|| format!("there is no subscription {id} that isn't over"))?.status;
        let running = matches!(status, SubscriptionStatus::Active | SubscriptionStatus::Trialing);
        match act {
            Act::CancelSubscription { .. } => self.end_subscription(shared, &id, Some("cancellation_requested")),
            Act::EditSubscription { items, metadata, .. } => self.edit(shared, &id, items, metadata)?,
            Act::EndPeriod { .. } if status != SubscriptionStatus::Paused => self.end_period(shared, &id),
            Act::GiveUp { becomes, .. } if status == SubscriptionStatus::PastDue => {
                self.give_up(shared, &id, becomes.unwrap_or(self.settings.after_retries));
            }
            Act::PauseSubscription { .. } if running => self.pause(shared, &id),
            Act::ResumeSubscription { .. } if status == SubscriptionStatus::Paused => {
                if !self.resume(shared, &id) {
                    return Err("the payment would fail or be delayed, which isn't emulated".to_owned());
                }
            }
            _ => return Err(format!("{id} is {}", status.as_str())),
        }
        self.existing(Kind::Subscription, &id)
    }

    fn edit(
        &mut self,
        shared: &mut Shared,
        id: &str,
        items: Option<Vec<NewItem>>,
        metadata: Option<BTreeMap<String, String>>,
    ) -> Result<(), String> {
        let it = self.subscriptions.at(id);
        let mut changed = Vec::new();
        for item in items.iter().flatten() {
            let price = self.prices.find(&item.price).filter(|price| price.recurring == Some(it.recurring));
            price.ok_or_else(|| format!("there is no price {} with the subscription's interval", item.price))?;
            let same = it.items.iter().find(|old| old.price == item.price).cloned();
            let mut kept = same.unwrap_or_else(|| self.new_item(shared, item.price.clone(), 1));
            if !(1..=MOST_QUANTITY).contains(&item.quantity) {
                return Err(format!("the quantity {} is not between 1 and {MOST_QUANTITY}", item.quantity));
            }
            kept.quantity = item.quantity;
            changed.push(kept);
        }
        self.changing(shared, "customer.subscription.updated", (Kind::Subscription, id), |it, _| {
            if let Some(metadata) = metadata {
                it.subscriptions.change(id).metadata = metadata;
            }
            if items.is_some() {
                it.set_items(id, changed);
            }
        });
        Ok(())
    }
}
