//! Decides what an event says of a checkout session, and what the session ties together.

use purchase_core::{
    fact::{
        Link,
        photo::{Checkout, CheckoutMode, CheckoutState, Photo},
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

/// `checkout.session`. What it says of others is as old as the session: its metadata are set when it is made.
pub(super) fn session(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let (root, object) = (reading.root(ObjectKind::Checkout)?, &reading.object);
    let mut ties = reading.ties()?;
    // A buyer can write it in the address of a payment link, so it says nothing of the customer.
    let by_buyer = ties.owner.is_none();
    if by_buyer && reading.client_reference == ClientReference::CustomerId {
        ties.owner = application_id(&object.at("client_reference_id"), |text| CustomerId::new(text))?;
    }
    let invoice = object.at("invoice").id()?.map(|id| ObjectRef::new(ObjectKind::Invoice, id));
    let payment = object.at("payment_intent").id()?.map(|id| ObjectRef::new(ObjectKind::Payment, id));
    let subscription = object.at("subscription").id()?.map(|id| ObjectRef::new(ObjectKind::Subscription, id));
    let said_at = object.at("created").time()?.unwrap_or(reading.occurred_at);

    facts.sight(&root, reading.sight(&root, photograph)?);
    facts.belongs(&root, &ties);
    facts.link(&root, subscription.iter().map(|it| Link::Subscription(it.id.clone())));
    facts.link(&root, payment.iter().map(|it| Link::Payment(it.id.clone())));
    facts.link(&root, invoice.iter().map(|it| Link::Invoice(it.id.clone())));
    for led_to in [&payment, &subscription, &invoice].into_iter().flatten() {
        facts.link(led_to, ties.customer().chain([Link::Checkout(root.id.clone())]));
        facts.infer(led_to, said_at, ties.inferred_owner(Some(&root)).chain(ties.inferred_offer(Some(&root))));
    }
    if let Some(customer) = ties.customer_ref().filter(|_| !by_buyer) {
        facts.infer(&customer, said_at, ties.inferred_owner(subscription.as_ref()));
    }
    Ok(())
}

fn photograph(view: &View<'_, '_>, moment: Moment<'_>) -> Result<Photo, ReadFault> {
    let mode = match view.at("mode").text()? {
        Some("payment") => CheckoutMode::Payment,
        Some("setup") => CheckoutMode::Setup,
        Some("subscription") => CheckoutMode::Subscription,
        _ => CheckoutMode::Unknown,
    };
    Ok(Photo::Checkout(Checkout { state: state(view, moment)?, mode }))
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
        // Sessions of old API versions have no status; there only the event's type tells.
        None if moment.is("checkout.session.expired") => CheckoutState::Expired,
        None => completed,
    })
}
