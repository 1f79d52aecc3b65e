//! Decides what an event says of a checkout session, and what the session ties together. It grants nothing: the
//! objects that a session leads to have events of their own.

use purchase_core::{
    fact::{
        Link,
        photo::{Checkout, CheckoutMode, CheckoutState, Photo},
    },
    id::{CustomerId, ObjectKind, ObjectRef},
    provider::ReadFault,
    wire::collect::{Collector, application_id},
};

use super::{Moment, Reading, ties};
use crate::{config::ClientReference, wire::View};

/// `checkout.session`.
pub(super) fn session(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let (root, object) = (reading.root(ObjectKind::Checkout)?, &reading.object);
    let mut ties = ties(object)?;
    if ties.owner.is_none() && reading.client_reference == ClientReference::CustomerId {
        ties.owner = application_id(&object.at("client_reference_id"), |text| CustomerId::new(text))?;
    }
    let invoice = object.at("invoice").id()?;
    let payment = object.at("payment_intent").id()?;
    let subscription = object.at("subscription").id()?;

    facts.sight(&root, reading.sight(&root, photograph)?);
    facts.belongs(&root, &ties);
    facts.link(&root, subscription.clone().map(Link::Subscription));
    facts.link(&root, payment.clone().map(Link::Payment));
    facts.link(&root, invoice.clone().map(Link::Invoice));

    let told = || ties.customer().chain(ties.owner()).chain([Link::Checkout(root.id.clone())]);
    if let Some(payment) = payment {
        facts.link(&ObjectRef::new(ObjectKind::Payment, payment), told().chain(ties.offer()));
    }
    if let Some(subscription) = subscription {
        facts.link(&ObjectRef::new(ObjectKind::Subscription, subscription), told().chain(ties.offer()));
    }
    if let Some(invoice) = invoice {
        facts.link(&ObjectRef::new(ObjectKind::Invoice, invoice), told());
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
