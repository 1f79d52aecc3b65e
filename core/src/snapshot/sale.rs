//! Chooses which objects grant what was sold: each sale grants once, however many objects report it.
//!
//! A checkout, payments and an invoice can all report one one-time sale. Linked reports are one sale, identified by
//! the invoice if there is one, else by the payment, else by the checkout. The first of these kinds that names what
//! was sold grants it. If the invoice is known, its state decides whether the sale is paid. The refunds and disputes
//! of all its payments decide whether it still is.

use std::collections::BTreeMap;

use crate::{
    fact::object_state::InvoiceState,
    fold::money::Figures,
    id::{ObjectKind, Source, Subject},
    lifecycle::Lifecycle,
    snapshot::rows::{EntitlementRow, InvoiceRow, PaymentRow, Rows},
};

/// A row that grants, with the state of the whole sale.
pub(super) struct Granted<'a> {
    pub(super) subject: &'a Subject,
    pub(super) row: &'a EntitlementRow,
    pub(super) state: Lifecycle,
    pub(super) disputed: bool,
}

/// The identity of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sale<'a> {
    Checkout(&'a str),
    Invoice(&'a str),
    Payment(&'a str),
}

/// The invoices and payments of one source, by id, and the figures of each sale over all its payments.
struct Ledger<'a> {
    invoices: BTreeMap<&'a str, &'a InvoiceRow>,
    payments: BTreeMap<&'a str, &'a PaymentRow>,
    figures: BTreeMap<Sale<'a>, Figures>,
}

/// Every grant of one source.
pub(super) fn granted<'a>(all: &'a [(Subject, Rows)], source: &Source) -> Vec<Granted<'a>> {
    let of_source = || all.iter().filter(move |(subject, _)| subject.source == *source);
    let ledger = Ledger::of(of_source().map(|(_, rows)| rows));
    let mut granted = Vec::new();
    let mut sales: BTreeMap<Sale<'a>, Vec<Granted<'a>>> = BTreeMap::new();
    for (subject, rows) in of_source() {
        for row in &rows.entitlements {
            let grant = Granted { subject, row, state: row.state, disputed: row.disputed };
            match ledger.sale(subject, rows, row) {
                None => granted.push(grant),
                Some(sale) => sales.entry(sale).or_default().push(grant),
            }
        }
    }
    for (sale, reports) in sales {
        granted.extend(ledger.settle(sale, reports));
    }
    granted
}

impl<'a> Ledger<'a> {
    fn of(rows: impl Iterator<Item = &'a Rows> + Clone) -> Self {
        let invoices = rows.clone().flat_map(|rows| &rows.invoices).map(|it| (it.id.as_str(), it)).collect();
        let payments = rows.flat_map(|rows| &rows.payments).map(|it| (it.id.as_str(), it)).collect();
        let mut ledger = Self { invoices, payments, figures: BTreeMap::new() };
        let mut figures: BTreeMap<Sale<'a>, Figures> = BTreeMap::new();
        for payment in ledger.payments.values() {
            let sum = figures.entry(ledger.sale_of_payment(&payment.id)).or_default();
            sum.received = match (sum.received, payment.received) {
                (Some(one), Some(other)) => Some(one.saturating_add(other)),
                (one, other) => one.or(other),
            };
            sum.refunded = sum.refunded.saturating_add(payment.refunded);
            sum.disputed = sum.disputed.saturating_add(payment.disputed);
        }
        ledger.figures = figures;
        ledger
    }

    /// The sale that a row reports, or `None` for a recurring bill of a subscription.
    fn sale(&self, subject: &Subject, rows: &'a Rows, row: &'a EntitlementRow) -> Option<Sale<'a>> {
        match subject.root.kind {
            ObjectKind::Checkout => {
                let checkout = rows.checkouts.first();
                let invoice = checkout.and_then(|it| it.invoice.as_deref()).map(Sale::Invoice);
                let payment = || checkout.and_then(|it| it.payment.as_deref()).map(|id| self.sale_of_payment(id));
                Some(invoice.or_else(payment).unwrap_or(Sale::Checkout(&row.origin_id)))
            }
            ObjectKind::Invoice => Some(Sale::Invoice(&row.origin_id)),
            ObjectKind::Payment => Some(self.sale_of_payment(&row.origin_id)),
            ObjectKind::Charge
            | ObjectKind::Credit
            | ObjectKind::Customer
            | ObjectKind::Dispute
            | ObjectKind::Price
            | ObjectKind::Product
            | ObjectKind::Refund
            | ObjectKind::Release
            | ObjectKind::Reversal
            | ObjectKind::Schedule
            | ObjectKind::Subscription => None,
        }
    }

    fn sale_of_payment(&self, id: &'a str) -> Sale<'a> {
        let invoice = self.payments.get(id).and_then(|it| it.invoice.as_deref());
        invoice.map_or(Sale::Payment(id), Sale::Invoice)
    }

    /// The reports that count, each benefit once, with the state of the whole sale.
    fn settle(&self, sale: Sale<'a>, mut reports: Vec<Granted<'a>>) -> Vec<Granted<'a>> {
        let rank = |grant: &Granted<'_>| match grant.subject.root.kind {
            ObjectKind::Invoice => 0,
            ObjectKind::Payment => 1,
            _ => 2,
        };
        let invoice = match sale {
            Sale::Invoice(id) => self.invoices.get(id).copied(),
            Sale::Checkout(_) | Sale::Payment(_) => None,
        };
        // The subscription itself grants what it bills; the offer of its payment is the same one.
        let bills_again = invoice.is_some_and(|it| it.subscription.is_some());
        reports.retain(|grant| !(bills_again && grant.row.price.is_none()));
        let Some(first) = reports.iter().map(rank).min() else { return Vec::new() };
        reports.retain(|grant| rank(grant) == first);
        let whole = invoice.map(|invoice| self.state_of_invoice(invoice));
        let returned = self.state_of_money(sale);
        for grant in &mut reports {
            if grant.state == Lifecycle::Active {
                grant.state = whole.filter(|state| *state != Lifecycle::Active).unwrap_or(grant.state);
            }
            if first != 1 && grant.state == Lifecycle::Active {
                (grant.state, grant.disputed) = returned;
            }
        }
        // Two payments of one invoice report one sale. The one that gives access counts.
        reports.sort_by_key(|grant| (grant.state != Lifecycle::Active, grant.subject));
        let mut seen: BTreeMap<&str, &Subject> = BTreeMap::new();
        reports.retain(|grant| *seen.entry(&grant.row.benefit).or_insert(grant.subject) == grant.subject);
        reports
    }

    fn state_of_invoice(&self, invoice: &InvoiceRow) -> Lifecycle {
        match invoice.state {
            InvoiceState::Paid => Lifecycle::Active,
            InvoiceState::Void => Lifecycle::Canceled,
            InvoiceState::Uncollectible => Lifecycle::Expired,
            InvoiceState::Draft | InvoiceState::Open | InvoiceState::Unknown => match invoice.deleted {
                true => Lifecycle::Canceled,
                false => Lifecycle::Pending,
            },
        }
    }

    /// Whether what was received for a sale was returned, over all its payments, and whether a part of it is
    /// disputed.
    fn state_of_money(&self, sale: Sale<'a>) -> (Lifecycle, bool) {
        let mut figures = self.figures.get(&sale).copied().unwrap_or_default();
        if let Sale::Invoice(id) = sale {
            // A part may have been paid outside these payments, and that part was not returned.
            let paid = self.invoices.get(id).map(|it| it.amount_paid);
            figures.received = figures.received.max(paid);
        }
        let state = if figures.all_went_back() { Lifecycle::Refunded } else { Lifecycle::Active };
        (state, figures.disputed > 0)
    }
}
