//! Subscriptions and invoices: changed, canceled, resumed, paid.

use purchase_emulator::Shared;

use super::{Answer, expand::Expand, reading::no_such};
use crate::{
    deeds::collect::Attempt,
    fault::Fault,
    ids,
    params::{MetadataChange, Params},
    show::Kind,
    state::{InvoiceStatus, PauseCollection, SubscriptionItem, SubscriptionStatus, WhilePaused},
    stripe::Stripe,
};

const FEEDBACK: [&str; 8] = [
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
];

/// What a call says about a cancellation.
#[derive(Default)]
struct Why {
    comment: Option<Option<String>>,
    feedback: Option<Option<String>>,
}

impl Why {
    fn of(params: &mut Params) -> Result<Self, Fault> {
        let Some(mut details) = params.object("cancellation_details")? else { return Ok(Self::default()) };
        let why = Self {
            comment: details.settable("comment")?,
            feedback: match details.unset("feedback") {
                true => Some(None),
                false => details.one_of("feedback", &FEEDBACK, &[])?.map(|it| Some(it.to_owned())),
            },
        };
        details.end()?;
        Ok(why)
    }

    fn apply(self, stripe: &mut Stripe, id: &str) {
        let it = &mut stripe.subscriptions.change(id).cancellation;
        it.comment = self.comment.unwrap_or(it.comment.take());
        it.feedback = self.feedback.unwrap_or(it.feedback.take());
    }
}

/// Changes of a subscription.
struct Changes {
    metadata: MetadataChange,
    description: Option<Option<String>>,
    ends: Option<bool>,
    why: Why,
    pause: Option<Option<PauseCollection>>,
    items: Option<Vec<SubscriptionItem>>,
}

impl Stripe {
    pub(crate) fn update_subscription(&mut self, shared: &mut Shared, id: &str, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        let (metadata, description) = (params.metadata()?, params.settable("description")?);
        let (ends, why) = (params.flag("cancel_at_period_end")?, Why::of(&mut params)?);
        let pause = pause(&mut params, shared.second())?;
        let proration = params.one_of("proration_behavior", &["none"], &["always_invoice", "create_prorations"])?;
        let lines = params.objects("items")?;
        self.subscriptions.find(id).ok_or_else(|| no_such(Kind::Subscription, id))?;
        let items = match lines.is_empty() {
            true => None,
            false if proration.is_none() => {
                return Err(Fault::not_emulated("changed items with prorations: only proration_behavior=none is"));
            }
            false => Some(self.changed_items(shared, id, lines)?),
        };
        params.end()?;
        let only_words = ends.is_none() && pause.is_none() && items.is_none() && description.is_none();
        if self.subscriptions.at(id).is_over() && !only_words {
            let message = "A canceled subscription can only update its cancellation_details and metadata.";
            return Err(Fault::refused(None, message));
        }
        let changes = Changes { metadata, description, ends, why, pause, items };
        let now = shared.second();
        self.changing(shared, "customer.subscription.updated", (Kind::Subscription, id), |it, _| {
            it.apply(now, id, changes);
        });
        self.shows(Kind::Subscription, id, expand)
    }

    fn apply(&mut self, now: i64, id: &str, changes: Changes) {
        let it = self.subscriptions.change(id);
        changes.metadata.apply(&mut it.metadata);
        it.description = changes.description.unwrap_or(it.description.take());
        if let Some(ends) = changes.ends {
            self.schedule_end(now, id, ends);
        }
        changes.why.apply(self, id);
        if let Some(pause) = changes.pause {
            self.pause_collection(id, pause);
        }
        if let Some(items) = changes.items {
            self.set_items(id, items);
        }
    }

    /// The items after a change that names some of them.
    fn changed_items(&self, shared: &mut Shared, id: &str, lines: Vec<Params>) -> Result<Vec<SubscriptionItem>, Fault> {
        let it = self.subscriptions.at(id);
        let mut items = it.items.clone();
        for mut line in lines {
            let (of, price) = (line.text("id")?, line.text("price")?);
            let (quantity, deleted) = (line.quantity("quantity")?, line.flag("deleted")?.unwrap_or(false));
            let (id_name, price_name) = (line.name("id"), line.name("price"));
            line.end()?;
            if let Some(price) = &price {
                let found = self.prices.find(price).ok_or_else(|| Fault::no_such_in("price", &price_name, price))?;
                if found.recurring != Some(it.recurring) || found.currency != it.currency {
                    return Err(Fault::not_emulated("items with another interval or currency"));
                }
            }
            let place = match &of {
                None => None,
                Some(of) => Some(
                    items
                        .iter()
                        .position(|item| item.id == *of)
                        .ok_or_else(|| Fault::no_such_in("subscription item", &id_name, of))?,
                ),
            };
            match (place, price) {
                (Some(place), _) if deleted => {
                    items.remove(place);
                }
                (Some(place), price) => {
                    items[place].price = price.unwrap_or(items[place].price.clone());
                    items[place].quantity = quantity.unwrap_or(items[place].quantity);
                }
                (None, None) => return Err(Fault::required(&price_name)),
                (None, Some(price)) => items.push(self.new_item(shared, price, quantity.unwrap_or(1))),
            }
        }
        match items.is_empty() {
            true => Err(Fault::refused(None, "A subscription must have at least one item.").on("items")),
            false => Ok(items),
        }
    }

    pub(crate) fn new_item(&self, shared: &mut Shared, price: String, quantity: i64) -> SubscriptionItem {
        SubscriptionItem { id: ids::short(&mut shared.draw, "si"), created: shared.second(), price, quantity }
    }

    pub(crate) fn cancel_subscription(&mut self, shared: &mut Shared, id: &str, mut params: Params) -> Answer {
        let (expand, why) = (Expand::of(&mut params)?, Why::of(&mut params)?);
        params.only("invoice_now", "false")?;
        params.only("prorate", "false")?;
        params.end()?;
        // A canceled subscription can't be canceled again: Stripe doesn't find it.
        let found = self.subscriptions.find(id).filter(|it| !it.is_over());
        found.ok_or_else(|| no_such(Kind::Subscription, id))?;
        why.apply(self, id);
        self.end_subscription(shared, id, Some("cancellation_requested"));
        self.shows(Kind::Subscription, id, expand)
    }

    pub(crate) fn resume_subscription(&mut self, shared: &mut Shared, id: &str, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        params.only("billing_cycle_anchor", "now")?;
        params.only("proration_behavior", "none")?;
        params.end()?;
        let it = self.subscriptions.find(id).ok_or_else(|| no_such(Kind::Subscription, id))?;
        if it.status != SubscriptionStatus::Paused {
            return Err(Fault::refused(None, "Only paused subscriptions can be resumed."));
        }
        match self.resume(shared, id) {
            true => self.shows(Kind::Subscription, id, expand),
            false => Err(Fault::not_emulated("resuming a subscription whose payment fails or is delayed")),
        }
    }

    pub(crate) fn pay_invoice(&mut self, shared: &mut Shared, id: &str, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        params.only("paid_out_of_band", "false")?;
        params.end()?;
        let it = self.invoices.find(id).ok_or_else(|| no_such(Kind::Invoice, id))?;
        match it.status {
            InvoiceStatus::Paid => return Err(Fault::refused(Some("invoice_already_paid"), "Invoice is already paid")),
            InvoiceStatus::Uncollectible | InvoiceStatus::Draft => {
                return Err(Fault::not_emulated(format!("paying an invoice that is {}", it.status.as_str())));
            }
            InvoiceStatus::Void => return Err(Fault::refused(None, "This invoice can no longer be paid")),
            InvoiceStatus::Open => {}
        }
        if self.collect(shared, id, Attempt::Manual) {
            return self.shows(Kind::Invoice, id, expand);
        }
        let payment = self.invoices.at(id).payment.clone();
        let intent = payment.map(|payment| self.invoice_payments.at(&payment).intent.clone());
        let error = intent.as_ref().and_then(|intent| self.intents.at(intent).error.as_ref());
        match (intent.as_ref(), error) {
            (Some(intent), Some(error)) => {
                let decline = error.decline;
                let shown = self.shown(Kind::Intent, intent);
                Err(Fault::card(decline.code(), decline.decline_code(), decline.message(), shown))
            }
            _ => self.shows(Kind::Invoice, id, expand),
        }
    }
}

fn pause(params: &mut Params, now: i64) -> Result<Option<Option<PauseCollection>>, Fault> {
    if params.unset("pause_collection") {
        return Ok(Some(None));
    }
    let Some(mut pause) = params.object("pause_collection")? else { return Ok(None) };
    let behavior = match pause.one_of("behavior", &["keep_as_draft", "mark_uncollectible", "void"], &[])? {
        Some("keep_as_draft") => WhilePaused::KeepAsDraft,
        Some("mark_uncollectible") => WhilePaused::MarkUncollectible,
        Some(_) => WhilePaused::Void,
        None => return Err(Fault::required("pause_collection[behavior]")),
    };
    let resumes_at = pause.int("resumes_at")?;
    if resumes_at.is_some_and(|at| at <= now) {
        let message = "The `resumes_at` timestamp must be in the future.";
        return Err(Fault::invalid(None, "pause_collection[resumes_at]", message));
    }
    pause.end()?;
    Ok(Some(Some(PauseCollection { behavior, resumes_at })))
}
