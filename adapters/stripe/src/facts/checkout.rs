//! Reads a checkout session, and the objects that the session links.

use purchase_core::{
    fact::{
        Link,
        object_state::{Checkout, CheckoutMode, CheckoutState, ObjectState},
    },
    id::{CustomerId, ObjectKind, ObjectRef},
    provider::ReadFault,
    wire::collect::{Collector, application_id},
};

use super::{Moment, Reading};
use crate::{
    config::ClientReference,
    wire::{Reads as _, View},
};

/// `checkout.session`. What it says about other objects is as old as the session, because its metadata are set when it
/// is created.
pub(super) fn session(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let (root, object) = (reading.root(ObjectKind::Checkout)?, &reading.object);
    let mut attribution = reading.attribution()?;
    // A buyer can write `client_reference_id` in the address of a payment link, so it names no owner of the customer.
    let by_buyer = attribution.owner.is_none();
    if by_buyer && reading.client_reference == ClientReference::CustomerId {
        attribution.owner = application_id(&object.at("client_reference_id"), |text| CustomerId::new(text))?;
    }
    let invoice = object.at("invoice").id()?.map(|id| ObjectRef::new(ObjectKind::Invoice, id));
    let payment = object.at("payment_intent").id()?.map(|id| ObjectRef::new(ObjectKind::Payment, id));
    let subscription = object.at("subscription").id()?.map(|id| ObjectRef::new(ObjectKind::Subscription, id));
    let said_at = object.at("created").time()?.unwrap_or(reading.occurred_at);

    facts.observation(&root, reading.observation(&root, observation)?);
    facts.belongs(&root, &attribution);
    facts.link(&root, subscription.iter().map(|it| Link::Subscription(it.id.clone())));
    facts.link(&root, payment.iter().map(|it| Link::Payment(it.id.clone())));
    facts.link(&root, invoice.iter().map(|it| Link::Invoice(it.id.clone())));
    for led_to in [&payment, &subscription, &invoice].into_iter().flatten() {
        facts.link(led_to, attribution.customer().chain([Link::Checkout(root.id.clone())]));
        facts.infer(
            led_to,
            said_at,
            attribution.inferred_owner(Some(&root)).chain(attribution.inferred_offer(Some(&root))),
        );
    }
    if let Some(customer) = attribution.customer_ref().filter(|_| !by_buyer) {
        facts.infer(&customer, said_at, attribution.inferred_owner(subscription.as_ref()));
    }
    Ok(())
}

fn observation(view: &View<'_, '_>, moment: Moment<'_>) -> Result<ObjectState, ReadFault> {
    let mode = match view.at("mode").text()? {
        Some("payment") => CheckoutMode::Payment,
        Some("setup") => CheckoutMode::Setup,
        Some("subscription") => CheckoutMode::Subscription,
        _ => CheckoutMode::Unknown,
    };
    Ok(ObjectState::Checkout(Checkout { state: state(view, moment)?, mode }))
}

fn state(view: &View<'_, '_>, moment: Moment<'_>) -> Result<CheckoutState, ReadFault> {
    let payment_status = view.at("payment_status").text()?;
    let completed = match payment_status {
        Some("paid" | "no_payment_required") => CheckoutState::Paid,
        // The session itself doesn't say that a delayed payment failed: it stays complete and unpaid.
        Some("unpaid") if moment.is("checkout.session.async_payment_failed") => CheckoutState::Failed,
        Some("unpaid") => CheckoutState::Completed,
        _ => CheckoutState::Unknown,
    };
    Ok(match view.at("status").text()? {
        Some("complete") => completed,
        Some("expired") => CheckoutState::Expired,
        Some("open") => CheckoutState::Open,
        Some(_) => CheckoutState::Unknown,
        // Sessions of old API versions have no status. Only the event's type gives it.
        None if moment.is("checkout.session.expired") => CheckoutState::Expired,
        None => completed,
    })
}
