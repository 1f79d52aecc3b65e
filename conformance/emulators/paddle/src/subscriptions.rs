//! Decides which requests change a subscription, and what they lock. While a change is scheduled, it must be removed
//! before anything else can change.

use purchase_emulator::{Call, Reply, Shared};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    Paddle,
    catalog::set,
    fault::Fault,
    fields::Fields,
    subscription::{Action, Item, Scheduled, Status, Subscription},
    times::{self, Times},
    transaction::Status as Billing,
};

/// When a change takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectiveFrom {
    /// Now.
    Immediately,
    /// At the end of the current period.
    NextBillingPeriod,
}

impl Paddle {
    pub(crate) fn update_subscription(
        &mut self,
        shared: &mut Shared,
        id: &str,
        mut fields: Fields,
    ) -> Result<(), Fault> {
        let it = self.subscription(id)?;
        let (is_canceled, is_scheduled) = (it.status == Status::Canceled, it.scheduled.is_some());
        let removes = fields.has("scheduled_change");
        if fields.read::<Value>("scheduled_change").is_some_and(|value| !value.is_null()) {
            fields.refuse("scheduled_change", "may only be set to null");
        }
        let custom_data: Option<Option<Map<String, Value>>> = fields.read("custom_data");
        fields.finish(&[
            "address_id",
            "billing_details",
            "business_id",
            "collection_mode",
            "currency_code",
            "customer_id",
            "discount",
            "items",
            "next_billed_at",
            "on_payment_failure",
            "proration_billing_mode",
        ])?;
        if is_canceled {
            let detail = "cannot update subscription, as subscription is canceled";
            return Err(Fault::subscription("subscription_update_when_canceled", detail));
        }
        if is_scheduled && !removes {
            return Err(locked());
        }
        self.change_subscription(shared, id, |it| {
            if removes {
                it.scheduled = None;
            }
            set(&mut it.custom_data, custom_data);
        });
        self.emit(shared, "subscription.updated", id);
        Ok(())
    }

    pub(crate) fn cancel_call(&mut self, shared: &mut Shared, id: &str, call: &Call<'_>) -> Result<Reply, Fault> {
        let mut fields = Fields::of_call(call)?;
        let from: Option<Option<EffectiveFrom>> = fields.read("effective_from");
        fields.finish(&[])?;
        self.cancel(shared, id, from.flatten())?;
        Ok(self.shown(200, id))
    }

    pub(crate) fn cancel(&mut self, shared: &mut Shared, id: &str, from: Option<EffectiveFrom>) -> Result<(), Fault> {
        let it = self.unlocked(id)?;
        let (effective_at, is_paused) = (it.period.end, it.status == Status::Paused);
        // Documented: a paused subscription is canceled immediately by default.
        let default = if is_paused { EffectiveFrom::Immediately } else { EffectiveFrom::NextBillingPeriod };
        match from.unwrap_or(default) {
            EffectiveFrom::Immediately => {
                self.cancel_now(shared, id);
                self.void_owed(shared, id);
            }
            EffectiveFrom::NextBillingPeriod if is_paused => return Err(inactive()),
            EffectiveFrom::NextBillingPeriod => {
                let change = Scheduled { action: Action::Cancel, effective_at, resume_at: None };
                self.schedule(shared, id, change);
            }
        }
        Ok(())
    }

    pub(crate) fn pause_call(&mut self, shared: &mut Shared, id: &str, call: &Call<'_>) -> Result<Reply, Fault> {
        let mut fields = Fields::of_call(call)?;
        let from: Option<Option<EffectiveFrom>> = fields.read("effective_from");
        let resume_at: Option<Option<String>> = fields.read("resume_at");
        let resume_at = resume_at.flatten().map(|text| (times::parse(&text), text));
        if matches!(resume_at, Some((None, _))) {
            fields.refuse("resume_at", "must be an RFC 3339 datetime string");
        }
        starts_new_period(&mut fields)?;
        fields.finish(&[])?;
        self.pause(shared, id, from.flatten(), resume_at.and_then(|(at, _)| at))?;
        Ok(self.shown(200, id))
    }

    pub(crate) fn pause(
        &mut self,
        shared: &mut Shared,
        id: &str,
        from: Option<EffectiveFrom>,
        resume_at: Option<i64>,
    ) -> Result<(), Fault> {
        let it = self.unlocked(id)?;
        let (effective_at, status) = (it.period.end, it.status);
        let is_now = from == Some(EffectiveFrom::Immediately);
        match status {
            Status::Paused => return Err(inactive()),
            Status::Trialing => {
                let detail = "subscription can't be paused while it is in trial";
                return Err(Fault::subscription("subscription_cannot_be_paused", detail));
            }
            Status::Active | Status::Canceled | Status::PastDue => {}
        }
        let begins = if is_now { shared.now } else { effective_at };
        if resume_at.is_some_and(|at| at <= begins) {
            return Err(Fault::field("resume_at", "must be after the subscription is paused"));
        }
        match is_now {
            true => {
                self.pause_now(shared, id, resume_at);
                self.void_owed(shared, id);
            }
            false => self.schedule(shared, id, Scheduled { action: Action::Pause, effective_at, resume_at }),
        }
        Ok(())
    }

    pub(crate) fn resume_call(&mut self, shared: &mut Shared, id: &str, call: &Call<'_>) -> Result<Reply, Fault> {
        let mut fields = Fields::of_call(call)?;
        let from: Option<Option<String>> = fields.read("effective_from");
        let from = from.flatten().filter(|text| text != "immediately").map(|text| times::parse(&text));
        if from == Some(None) {
            fields.refuse("effective_from", "must be immediately or an RFC 3339 datetime string");
        }
        starts_new_period(&mut fields)?;
        fields.finish(&[])?;
        self.resume(shared, id, from.flatten())?;
        Ok(self.shown(200, id))
    }

    /// Resumes a paused subscription, now or then, or sets when a scheduled pause ends.
    pub(crate) fn resume(&mut self, shared: &mut Shared, id: &str, at: Option<i64>) -> Result<(), Fault> {
        let it = self.subscription(id)?;
        let (status, scheduled) = (it.status, it.scheduled);
        if at.is_some_and(|at| at <= shared.now) {
            return Err(Fault::field("effective_from", "must be in the future"));
        }
        match (status, scheduled, at) {
            (Status::Canceled, _, _) => return Err(canceled()),
            (Status::Paused, _, None) => self.resume_now(shared, id),
            (Status::Paused, _, Some(effective_at)) => {
                self.schedule(shared, id, Scheduled { action: Action::Resume, effective_at, resume_at: None });
            }
            (_, Some(change @ Scheduled { action: Action::Pause, .. }), Some(at)) if at > change.effective_at => {
                self.schedule(shared, id, Scheduled { resume_at: Some(at), ..change });
            }
            _ => {
                let detail = "action can only be performed on paused subscription";
                return Err(Fault::subscription("subscription_must_be_paused", detail));
            }
        }
        Ok(())
    }

    fn schedule(&mut self, shared: &mut Shared, id: &str, change: Scheduled) {
        self.change_subscription(shared, id, |it| it.scheduled = Some(change));
        self.emit(shared, "subscription.updated", id);
    }

    /// Somebody changes the items at the dashboard, and bills nothing for it.
    pub(crate) fn change_items(&mut self, shared: &mut Shared, id: &str, items: Vec<Value>) -> Result<(), Fault> {
        let it = self.unlocked(id)?;
        if !matches!(it.status, Status::Active | Status::Trialing) {
            return Err(inactive());
        }
        let (known, period, is_trial) = (it.items.clone(), it.period, it.status == Status::Trialing);
        let lines = self.lines(items)?;
        if lines.iter().any(|line| line.price.billing_cycle != Some(it.cycle)) {
            let detail = "All recurring prices must have the same billing cycle";
            return Err(Fault::transaction("transaction_price_different_billing_cycle", detail));
        }
        let at = self.tick(shared);
        let items: Vec<Item> = lines
            .into_iter()
            .map(|line| match known.iter().find(|item| item.price.id == line.price.id) {
                Some(item) => {
                    let times = Times { changed: at, ..item.times };
                    Item { quantity: line.quantity, times, ..item.clone() }
                }
                None => Item {
                    price: line.price,
                    product: line.product,
                    quantity: line.quantity,
                    times: Times::new(at),
                    previously_billed: (!is_trial).then_some(period.start),
                    // A trial is the whole subscription's.
                    trial: known.iter().find_map(|item| item.trial),
                },
            })
            .collect();
        self.change_subscription(shared, id, |it| it.items = items);
        self.emit(shared, "subscription.updated", id);
        Ok(())
    }

    pub(crate) fn subscription(&self, id: &str) -> Result<&Subscription, Fault> {
        self.subscriptions.get(id).ok_or_else(|| Fault::not_found(id))
    }

    /// A subscription that can be changed.
    fn unlocked(&self, id: &str) -> Result<&Subscription, Fault> {
        let it = self.subscription(id)?;
        if it.status == Status::Canceled {
            return Err(canceled());
        }
        if it.scheduled.is_some() {
            return Err(locked());
        }
        let renews = |transaction: &crate::transaction::Transaction| {
            transaction.subscription.as_deref() == Some(id) && transaction.status == Billing::Billed
        };
        if self.transactions.values().any(renews) {
            let detail = "cannot update subscription, as it is being renewed";
            return Err(Fault::subscription("subscription_locked_renewal", detail));
        }
        Ok(it)
    }
}

/// Continuing the old period on resuming is not emulated.
fn starts_new_period(fields: &mut Fields) -> Result<(), Fault> {
    let words = ["continue_existing_billing_period", "start_new_billing_period"];
    match fields.word("on_resume", &words).as_deref() {
        Some("continue_existing_billing_period") => {
            Err(Fault::not_emulated("the value continue_existing_billing_period of on_resume"))
        }
        _ => Ok(()),
    }
}

fn locked() -> Fault {
    let detail = "cannot update subscription, pending scheduled changes";
    Fault::subscription("subscription_locked_pending_changes", detail)
}

fn canceled() -> Fault {
    let detail = "action can't be performed on canceled subscription";
    Fault::subscription("subscription_is_canceled_action_invalid", detail)
}

fn inactive() -> Fault {
    let detail = "action can't be performed on inactive subscription";
    Fault::subscription("subscription_is_inactive_action_invalid", detail)
}
