//! Derives rows from one subject's state. It knows no other subject, and no clock.

use crate::{
    catalog::Catalog,
    fact::{
        history::Settled,
        object_state::{
            CheckoutMode, CheckoutState, Credit, Dispute, Invoice, InvoiceState, Item, ObjectState, Payment, Price,
            Subscription, SubscriptionStatus,
        },
    },
    fold::SubjectState,
    id::{ObjectKind, ObjectRef, ProviderId, Subject},
    lifecycle::{self, Lifecycle},
    snapshot::rows::{
        CheckoutRow, CreditRow, CustomerRow, DisputeRow, EntitlementRow, InvoiceRow, PaymentRow, PriceRow, ProductRow,
        RefundRow, Rows, ScheduleRow, SubscriptionItemRow, SubscriptionRow,
    },
    time::Timestamp,
};

/// Every row of one subject.
pub fn rows(subject: &Subject, state: &SubjectState, catalog: &Catalog) -> Rows {
    let mut rows = Rows::default();
    for (object, settled) in state.objects() {
        one_object(&mut rows, object, &settled, state, catalog);
    }
    match subject.root.kind {
        ObjectKind::Customer => {
            if rows.customers.is_empty() && state.links().owner().is_some() {
                rows.customers.push(unseen_customer(subject, state));
            }
        }
        ObjectKind::Checkout => grants_of_checkout(&mut rows, state),
        ObjectKind::Invoice => {
            credits(&mut rows, subject, state);
            grants_of_invoice(&mut rows, state, catalog);
        }
        ObjectKind::Payment => payment(&mut rows, subject, state, catalog),
        ObjectKind::Charge
        | ObjectKind::Credit
        | ObjectKind::Dispute
        | ObjectKind::Price
        | ObjectKind::Product
        | ObjectKind::Refund
        | ObjectKind::Release
        | ObjectKind::Reversal
        | ObjectKind::Schedule
        | ObjectKind::Subscription => {}
    }
    rows
}

fn one_object(rows: &mut Rows, object: &ObjectRef, settled: &Settled, state: &SubjectState, catalog: &Catalog) {
    let id = object.id.expose().to_owned();
    match settled.shown() {
        ObjectState::Customer(it) => rows.customers.push(CustomerRow {
            id,
            email: it.email.as_ref().map(|email| email.expose().to_owned()),
            name: it.name.as_ref().map(|name| name.expose().to_owned()),
            deleted: it.deleted || it.archived,
            owner: owner(state),
        }),
        ObjectState::Checkout(it) => rows.checkouts.push(CheckoutRow {
            id,
            state: it.state,
            mode: it.mode,
            customer: text(state.customer()),
            owner: owner(state),
            subscription: text(state.links().subscription()),
            payment: text(state.links().payment()),
            invoice: text(state.links().invoice()),
        }),
        ObjectState::Subscription(it) => subscription(rows, id, it, settled, state, catalog),
        ObjectState::Invoice(it) => rows.invoices.push(invoice(id, it, state)),
        ObjectState::Refund(it) => rows.refunds.push(RefundRow {
            id,
            state: it.state,
            amount: it.amount.minor(),
            currency: it.amount.currency(),
            payment: String::new(),
        }),
        ObjectState::Product(it) => {
            rows.products.push(ProductRow { id, name: it.name.clone(), active: it.active, deleted: it.deleted })
        }
        ObjectState::Price(it) => rows.prices.push(price(id, it, state)),
        ObjectState::Schedule(it) => {
            rows.schedules.push(ScheduleRow { id, state: it.state, subscription: text(state.links().subscription()) })
        }
        // These rows need all members of their subject; see `credits` and `payment`.
        ObjectState::Charge(_)
        | ObjectState::Credit(_)
        | ObjectState::Dispute(_)
        | ObjectState::Payment(_)
        | ObjectState::Release(_)
        | ObjectState::Reversal(_) => {}
    }
}

fn unseen_customer(subject: &Subject, state: &SubjectState) -> CustomerRow {
    CustomerRow {
        id: subject.root.id.expose().to_owned(),
        email: None,
        name: None,
        deleted: false,
        owner: owner(state),
    }
}

fn subscription(
    rows: &mut Rows,
    id: String,
    it: &Subscription,
    settled: &Settled,
    state: &SubjectState,
    catalog: &Catalog,
) {
    let lifecycle = lifecycle::of_subscription(it.status);
    let customer = text(state.customer());
    let own_owner = owner(state);
    let began_at = settled.first_at.min(it.started_at.unwrap_or(settled.first_at));
    for item in &it.items {
        let price = item.price.expose();
        let quantity = number(item.quantity);
        rows.subscription_items.push(SubscriptionItemRow {
            subscription: id.clone(),
            price: price.to_owned(),
            quantity,
        });
        if quantity == Some(0) {
            continue;
        }
        rows.entitlements.push(EntitlementRow {
            origin_kind: ObjectKind::Subscription,
            origin_id: id.clone(),
            benefit: benefit(item, &it.items, state, catalog),
            price: Some(price.to_owned()),
            state: lifecycle,
            quantity,
            given_up: it.status == SubscriptionStatus::Unpaid,
            disputed: false,
            began_at,
            since: settled.since,
            ends_at: it.ended_at.or(it.cancel_at),
            pause_at: it.pause_at,
            period_end: it.period.map(|period| period.end),
            customer: customer.clone(),
            owner: own_owner.clone(),
        });
    }
    rows.subscriptions.push(SubscriptionRow {
        id,
        state: lifecycle,
        provider_status: it.provider_status.clone(),
        period_start: it.period.map(|period| period.start),
        period_end: it.period.map(|period| period.end),
        trial_end: it.trial_end,
        cancel_at: it.cancel_at,
        ended_at: it.ended_at,
        pause_at: it.pause_at,
        resume_at: it.resume_at,
        collection_paused: it.collection_paused,
        customer,
        owner: own_owner,
    });
}

/// What an item grants: the catalogue's offer for its price; else, for the only item, the offer that metadata names;
/// else the price itself.
fn benefit(item: &Item, all: &[Item], state: &SubjectState, catalog: &Catalog) -> String {
    let price = item.price.expose();
    let offer = state.links().offer().filter(|_| all.len() == 1 && !catalog.prices.contains_key(price));
    offer.map_or_else(|| catalog.benefit(price), |offer| offer.as_str()).to_owned()
}

fn invoice(id: String, it: &Invoice, state: &SubjectState) -> InvoiceRow {
    InvoiceRow {
        id,
        state: it.state,
        total: it.total.minor(),
        amount_paid: it.amount_paid.minor(),
        currency: it.total.currency(),
        attempts: i64::from(it.attempts),
        finalized_at: it.finalized_at,
        paid_at: it.paid_at,
        voided_at: it.voided_at,
        deleted: it.deleted,
        customer: text(state.customer()),
        owner: owner(state),
        subscription: text(state.links().subscription()),
    }
}

fn price(id: String, it: &Price, state: &SubjectState) -> PriceRow {
    PriceRow {
        id,
        product: text(state.links().product()),
        active: it.active,
        unit_amount: it.unit_amount.map(|amount| amount.minor()),
        currency: it.unit_amount.map(|amount| amount.currency()),
        interval: it.interval.as_ref().map(|interval| interval.unit),
        interval_count: it.interval.as_ref().map(|interval| i64::from(interval.count)),
        deleted: it.deleted,
    }
}

/// The credits of an invoice.
fn credits(rows: &mut Rows, subject: &Subject, state: &SubjectState) {
    let row = |(object, it): (&ObjectRef, Credit)| CreditRow {
        id: object.id.expose().to_owned(),
        state: it.state,
        amount: it.amount.minor(),
        currency: it.amount.currency(),
        invoice: subject.root.id.expose().to_owned(),
    };
    rows.credits.extend(state.credits().into_iter().map(row));
}

/// A payment's row, the rows of its refunds and disputes, and its grants if it is a one-time sale.
fn payment(rows: &mut Rows, subject: &Subject, state: &SubjectState, catalog: &Catalog) {
    let id = subject.root.id.expose().to_owned();
    let released = state.released_refunds();
    rows.refunds.retain(|refund| !released.iter().any(|object| object.id.expose() == refund.id));
    for refund in &mut rows.refunds {
        refund.payment.clone_from(&id);
    }
    let dispute_row = |(object, it): (&ObjectRef, Dispute)| DisputeRow {
        id: object.id.expose().to_owned(),
        state: it.state,
        amount: it.amount.minor(),
        currency: it.amount.currency(),
        payment: id.clone(),
    };
    rows.disputes.extend(state.disputes().into_iter().map(dispute_row));
    // A payment that is known only by reference has nothing to show.
    if state.objects().next().is_none() {
        return;
    }
    let figures = state.figures();
    let settled = state.objects().find(|(object, _)| **object == subject.root).map(|(_, settled)| settled);
    let object_state = settled.as_ref().and_then(|settled| match settled.shown() {
        ObjectState::Payment(object_state) => Some((settled, object_state)),
        _ => None,
    });
    let links = state.links();
    rows.payments.push(PaymentRow {
        id: id.clone(),
        state: object_state.map(|(_, object_state)| object_state.state),
        amount: object_state.map(|(_, object_state)| object_state.amount.minor()),
        currency: object_state.map(|(_, object_state)| object_state.amount.currency()),
        authorized: figures.authorized,
        captured: figures.captured,
        received: figures.received,
        refunded: figures.refunded,
        disputed: figures.disputed,
        dispute: state.dispute(),
        attempts: i64::try_from(state.attempts()).unwrap_or(i64::MAX),
        customer: text(state.customer()),
        owner: owner(state),
        invoice: text(links.invoice()),
        subscription: text(links.subscription()),
    });
    let Some((settled, object_state)) = object_state else { return };
    let refunded_prices = state.refunded_prices();
    for Grant { benefit, price, quantity } in sold(object_state, &id, state, catalog) {
        let line_went_back = price.as_ref().is_some_and(|price| refunded_prices.iter().any(|it| it.expose() == price));
        let went_back = line_went_back || figures.all_went_back();
        rows.entitlements.push(EntitlementRow {
            benefit,
            price,
            quantity,
            disputed: figures.disputed > 0,
            ..bought(
                ObjectKind::Payment,
                &id,
                lifecycle::of_purchase(object_state.state, went_back),
                settled.since,
                state,
            )
        });
    }
}

/// The grants of a paid invoice's one-time sales, whatever paid it.
fn grants_of_invoice(rows: &mut Rows, state: &SubjectState, catalog: &Catalog) {
    let invoices = state.objects().filter_map(|(object, settled)| match settled.shown() {
        ObjectState::Invoice(it) if it.state == InvoiceState::Paid => Some((object, it.clone(), settled)),
        _ => None,
    });
    for (object, it, settled) in invoices {
        let id = object.id.expose();
        let paid_at = it.paid_at.unwrap_or(settled.since);
        let offer = state.links().offer().filter(|_| state.links().subscription().is_none());
        let knows = |item: &Item| catalog.prices.contains_key(item.price.expose());
        // An offer covers all lines except those that the catalogue knows. Without an offer, each price is its own
        // benefit.
        let (by_price, offer) = match (offer, it.sold.as_slice()) {
            (Some(_), [only]) => (vec![only], None),
            (Some(offer), lines) => (lines.iter().filter(|item| knows(item)).collect(), Some(offer)),
            (None, lines) => (lines.iter().collect(), None),
        };
        let grants = by_price.into_iter().map(|item| Grant {
            benefit: benefit(item, &it.sold, state, catalog),
            price: Some(item.price.expose().to_owned()),
            quantity: number(item.quantity),
        });
        let offered = offer.map(|offer| Grant { benefit: offer.to_string(), price: None, quantity: Some(1) });
        for Grant { benefit, price, quantity } in grants.chain(offered).filter(|grant| grant.quantity != Some(0)) {
            rows.entitlements.push(EntitlementRow {
                benefit,
                price,
                quantity,
                ..bought(ObjectKind::Invoice, id, Lifecycle::Active, paid_at, state)
            });
        }
    }
}

/// The grants of a checkout's one-time sales, if it is paid or nothing was due.
fn grants_of_checkout(rows: &mut Rows, state: &SubjectState) {
    for (object, settled) in state.objects() {
        let ObjectState::Checkout(it) = settled.shown() else { continue };
        if it.state == CheckoutState::Paid && it.mode == CheckoutMode::Payment {
            let id = object.id.expose();
            rows.entitlements.push(EntitlementRow {
                benefit: state.links().offer().map_or_else(|| id.to_owned(), |offer| offer.as_str().to_owned()),
                quantity: Some(1),
                ..bought(ObjectKind::Checkout, id, Lifecycle::Active, settled.since, state)
            });
        }
    }
}

/// A grant of a one-time purchase without an end. The caller adds what it grants.
fn bought(kind: ObjectKind, id: &str, lifecycle: Lifecycle, since: Timestamp, state: &SubjectState) -> EntitlementRow {
    EntitlementRow {
        origin_kind: kind,
        origin_id: id.to_owned(),
        benefit: String::new(),
        price: None,
        state: lifecycle,
        quantity: None,
        given_up: false,
        disputed: false,
        began_at: since,
        since,
        ends_at: None,
        pause_at: None,
        period_end: None,
        customer: text(state.customer()),
        owner: owner(state),
    }
}

struct Grant {
    benefit: String,
    price: Option<String>,
    quantity: Option<i64>,
}

/// What a payment sells once, and how many. If it lists nothing, but a checkout or the application's metadata shows
/// that it is a sale, it sells one of the named offer.
fn sold(object_state: &Payment, id: &str, state: &SubjectState, catalog: &Catalog) -> Vec<Grant> {
    let links = state.links();
    if !object_state.items.is_empty() {
        let grant = |item: &Item| Grant {
            benefit: benefit(item, &object_state.items, state, catalog),
            price: Some(item.price.expose().to_owned()),
            quantity: number(item.quantity),
        };
        return object_state.items.iter().map(grant).filter(|grant| grant.quantity != Some(0)).collect();
    }
    let sells = links.checkout().is_some() || links.offer().is_some();
    if links.subscription().is_some() || !sells {
        return Vec::new();
    }
    let benefit = links.offer().map_or_else(|| id.to_owned(), |offer| offer.as_str().to_owned());
    vec![Grant { benefit, price: None, quantity: Some(1) }]
}

/// A quantity as the database stores it. Adapters refuse quantities that are too large.
fn number(quantity: Option<u64>) -> Option<i64> {
    quantity.map(|quantity| i64::try_from(quantity).unwrap_or(i64::MAX))
}

fn owner(state: &SubjectState) -> Option<String> {
    state.application_customer().map(|owner| owner.as_str().to_owned())
}

fn text(id: Option<&ProviderId>) -> Option<String> {
    id.map(|id| id.expose().to_owned())
}
