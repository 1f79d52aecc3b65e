//! Reads a subscription. This module does not know whether the customer may use what is billed.

use purchase_core::{
    fact::{
        Link,
        object_state::{Item, ObjectState, Period, Subscription, SubscriptionStatus},
    },
    id::{ObjectKind, ObjectRef},
    provider::ReadFault,
    time::Timestamp,
    wire::collect::{Collector, Quantities},
};

use super::Reading;
use crate::wire::View;

/// `subscription`. Only `subscription.created` names the transaction that created the subscription.
pub(super) fn subscription(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let (root, object) = (reading.root(ObjectKind::Subscription)?, &reading.object);
    facts.observation(&root, reading.observation(&root, observation(object)?));
    facts.belongs(&root, &reading.attribution()?);
    if let Some(transaction) = object.at("transaction_id").id()? {
        // Only a transaction that is collected automatically went through a checkout.
        let checkout = object.at("collection_mode").text()? == Some("automatic");
        let of = |kind| ObjectRef::new(kind, transaction.clone());
        facts.link(&root, [Link::Invoice(transaction.clone()), Link::Payment(transaction.clone())]);
        facts.link(&root, checkout.then(|| Link::Checkout(transaction.clone())));
        for kind in [ObjectKind::Invoice, ObjectKind::Payment] {
            facts.link(&of(kind), [Link::Subscription(root.id.clone())]);
        }
        if checkout {
            facts.link(&of(ObjectKind::Checkout), [Link::Subscription(root.id.clone())]);
        }
    }
    Ok(())
}

fn observation(object: &View<'_, '_>) -> Result<ObjectState, ReadFault> {
    let provider_status = object.at("status").need_text()?;
    let status = match provider_status {
        "active" => SubscriptionStatus::Active,
        "canceled" => SubscriptionStatus::Canceled,
        "past_due" => SubscriptionStatus::PastDue,
        "paused" => SubscriptionStatus::Paused,
        "trialing" => SubscriptionStatus::Trialing,
        // This includes `inactive`: Paddle's SDKs list it, but its meaning is not documented.
        _ => SubscriptionStatus::Unknown,
    };
    let canceled_at = object.at("canceled_at").rfc3339()?;
    let scheduled = Scheduled::read(&object.at("scheduled_change"))?;
    Ok(ObjectState::Subscription(Box::new(Subscription {
        status,
        provider_status: provider_status.to_owned(),
        items: items(object)?,
        period: period(&object.at("current_billing_period"))?,
        trial_end: trial_end(object)?,
        cancel_at: scheduled.cancel_at,
        ended_at: canceled_at.filter(|_| status == SubscriptionStatus::Canceled),
        started_at: match object.at("started_at").rfc3339()? {
            Some(started_at) => Some(started_at),
            None => object.at("created_at").rfc3339()?,
        },
        pause_at: scheduled.pause_at,
        resume_at: scheduled.resume_at,
        collection_paused: false,
    })))
}

/// The change that is scheduled and has not happened yet.
#[derive(Default)]
struct Scheduled {
    cancel_at: Option<Timestamp>,
    pause_at: Option<Timestamp>,
    resume_at: Option<Timestamp>,
}

impl Scheduled {
    fn read(change: &View<'_, '_>) -> Result<Self, ReadFault> {
        if !change.is_there() {
            return Ok(Self::default());
        }
        let effective_at = change.at("effective_at").rfc3339()?;
        let resume_at = change.at("resume_at").rfc3339()?;
        Ok(match change.at("action").need_text()? {
            "cancel" => Self { cancel_at: effective_at, ..Self::default() },
            "pause" => Self { pause_at: effective_at, resume_at, ..Self::default() },
            "resume" => Self { resume_at: resume_at.or(effective_at), ..Self::default() },
            _ => Self::default(),
        })
    }
}

/// The recurring items. Imported subscriptions may also list one-time items.
fn items(subscription: &View<'_, '_>) -> Result<Vec<Item>, ReadFault> {
    let mut quantities = Quantities::default();
    for item in subscription.at("items").elements()? {
        if item.at("recurring").flag()? != Some(false) {
            quantities.add(item.at("price").need_id()?, &item.at("quantity"))?;
        }
    }
    Ok(quantities.into_items())
}

/// There is no period once the subscription is canceled, and in older events while it is paused.
fn period(view: &View<'_, '_>) -> Result<Option<Period>, ReadFault> {
    let (start, end) = (view.at("starts_at").rfc3339()?, view.at("ends_at").rfc3339()?);
    Ok(start.zip(end).map(|(start, end)| Period { start, end }))
}

/// The end of the longest trial.
fn trial_end(subscription: &View<'_, '_>) -> Result<Option<Timestamp>, ReadFault> {
    let mut latest = None;
    for item in subscription.at("items").elements()? {
        latest = latest.max(item.at("trial_dates.ends_at").rfc3339()?);
    }
    Ok(latest)
}
