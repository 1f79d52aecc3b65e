//! Payment intents and charges: requested, declined, succeeded, and bank debits that end later.

use purchase_emulator::Shared;

use super::checkout::Buyers;
use crate::{
    agenda::Job,
    cards::Decline,
    ids,
    show::Kind,
    state::{Charge, ChargeStatus, Intent, IntentStatus, Metadata, PaymentError, PaymentMethod},
    stripe::Stripe,
};

/// What a payment is requested for.
pub(crate) struct Ask {
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) customer: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) methods: Vec<String>,
    pub(crate) keeps_method: bool,
    pub(crate) invoice: Option<String>,
    pub(crate) session: Option<String>,
}

impl Stripe {
    /// Requests a payment.
    pub(crate) fn new_intent(&mut self, shared: &mut Shared, ask: Ask) -> String {
        let id = ids::payment(&mut shared.draw, "pi", &self.account);
        let intent = Intent {
            id: id.clone(),
            created: shared.second(),
            amount: ask.amount,
            currency: ask.currency,
            customer: ask.customer,
            description: ask.description,
            metadata: ask.metadata,
            secret: ids::secret(&mut shared.draw),
            status: IntentStatus::RequiresPaymentMethod,
            error: None,
            method: None,
            methods: ask.methods,
            latest_charge: None,
            keeps_method: ask.keeps_method,
            canceled_at: None,
            invoice: ask.invoice,
            session: ask.session,
        };
        self.intents.add(&id, intent);
        self.tell(shared, "payment_intent.created", Kind::Intent, &id);
        id
    }

    /// Records a payment method that a buyer entered.
    pub(crate) fn new_method(&mut self, shared: &mut Shared, buyers: &Buyers) -> String {
        let id = ids::long(&mut shared.draw, "pm", &self.account);
        let method = PaymentMethod {
            id: id.clone(),
            created: shared.second(),
            customer: None,
            test: buyers.method,
            buyer: buyers.buyer.clone(),
            declines: None,
        };
        self.methods.add(&id, method);
        id
    }

    fn new_charge(
        &mut self,
        shared: &mut Shared,
        intent: &str,
        method: &str,
        status: ChargeStatus,
        decline: Option<Decline>,
    ) -> String {
        let test = self.methods.at(method).test;
        let id = ids::payment(&mut shared.draw, if test.is_debit() { "py" } else { "ch" }, &self.account);
        let balance_transaction = (status == ChargeStatus::Succeeded).then(|| self.new_transaction(shared));
        let it = self.intents.at(intent);
        let charge = Charge {
            id: id.clone(),
            created: shared.second(),
            amount: it.amount,
            currency: it.currency.clone(),
            customer: it.customer.clone(),
            description: it.description.clone(),
            metadata: it.metadata.clone(),
            intent: intent.to_owned(),
            method: method.to_owned(),
            status,
            decline,
            balance_transaction,
            disputed: false,
            refunds_begin: test.refunds_begin(),
        };
        self.charges.add(&id, charge);
        self.tell(shared, &format!("charge.{}", status.as_str()), Kind::Charge, &id);
        id
    }

    pub(crate) fn new_transaction(&self, shared: &mut Shared) -> String {
        ids::payment(&mut shared.draw, "txn", &self.account)
    }

    /// A payment succeeds.
    pub(crate) fn succeed(&mut self, shared: &mut Shared, intent: &str, method: &str) {
        let charge = self.new_charge(shared, intent, method, ChargeStatus::Succeeded, None);
        let it = self.intents.change(intent);
        it.status = IntentStatus::Succeeded;
        it.error = None;
        it.method = Some(method.to_owned());
        it.latest_charge = Some(charge);
        self.tell(shared, "payment_intent.succeeded", Kind::Intent, intent);
    }

    /// An attempt to pay fails. A failed authentication makes no charge.
    pub(crate) fn fail(&mut self, shared: &mut Shared, intent: &str, method: &str, decline: Decline) {
        let charge = (decline != Decline::Authentication)
            .then(|| self.new_charge(shared, intent, method, ChargeStatus::Failed, Some(decline)));
        let it = self.intents.change(intent);
        it.status = IntentStatus::RequiresPaymentMethod;
        it.error = Some(PaymentError { decline, charge: charge.clone(), method: method.to_owned() });
        it.method = None;
        it.latest_charge = charge.or(it.latest_charge.take());
        self.tell(shared, "payment_intent.payment_failed", Kind::Intent, intent);
    }

    /// A payment waits for the buyer's authentication.
    pub(crate) fn require_action(&mut self, shared: &mut Shared, intent: &str, method: &str) {
        let it = self.intents.change(intent);
        it.status = IntentStatus::RequiresAction;
        it.method = Some(method.to_owned());
        self.tell(shared, "payment_intent.requires_action", Kind::Intent, intent);
    }

    /// A bank debit begins.
    pub(crate) fn begin_debit(&mut self, shared: &mut Shared, intent: &str, method: &str, fails: bool) {
        let charge = self.new_charge(shared, intent, method, ChargeStatus::Pending, None);
        let it = self.intents.change(intent);
        it.status = IntentStatus::Processing;
        it.error = None;
        it.method = Some(method.to_owned());
        it.latest_charge = Some(charge);
        self.tell(shared, "payment_intent.processing", Kind::Intent, intent);
        let at = shared.second() + self.settings.debit_settles_after_seconds;
        self.agenda.plan(at, Job::Debit { intent: intent.to_owned(), fails });
    }

    /// A bank debit ends, unless it has ended before.
    pub(crate) fn end_debit(&mut self, shared: &mut Shared, intent: &str, decline: Option<Decline>) {
        let it = self.intents.at(intent);
        let (status, invoice, session) = (it.status, it.invoice.clone(), it.session.clone());
        let (IntentStatus::Processing, Some(charge)) = (status, it.latest_charge.clone()) else { return };
        let method = self.charges.at(&charge).method.clone();
        let transaction = self.new_transaction(shared);
        let it = self.charges.change(&charge);
        it.decline = decline;
        it.status = if decline.is_some() { ChargeStatus::Failed } else { ChargeStatus::Succeeded };
        it.balance_transaction = decline.is_none().then_some(transaction);
        let status = it.status;
        self.tell(shared, &format!("charge.{}", status.as_str()), Kind::Charge, &charge);
        let it = self.intents.change(intent);
        match decline {
            None => it.status = IntentStatus::Succeeded,
            Some(decline) => {
                it.status = IntentStatus::RequiresPaymentMethod;
                it.method = None;
                it.error = Some(PaymentError { decline, charge: Some(charge), method });
            }
        }
        let named = if decline.is_none() { "payment_intent.succeeded" } else { "payment_intent.payment_failed" };
        self.tell(shared, named, Kind::Intent, intent);
        if let Some(invoice) = invoice {
            match decline {
                None => {
                    // A checkout is no attempt to collect: recorded first invoices have the count zero.
                    let attempt = session.is_none().then_some(super::collect::Attempt::Scheduled);
                    self.mark_paid(shared, &invoice, attempt);
                }
                Some(_) => self.payment_failed(shared, &invoice, super::collect::Attempt::Scheduled),
            }
        }
        if let Some(session) = session {
            self.end_delayed(shared, &session, decline.is_none());
        }
    }

    /// A payment can't be made any more.
    pub(crate) fn cancel_intent(&mut self, shared: &mut Shared, intent: &str) {
        let it = self.intents.change(intent);
        if matches!(it.status, IntentStatus::Succeeded | IntentStatus::Canceled) {
            return;
        }
        it.status = IntentStatus::Canceled;
        it.canceled_at = Some(shared.second());
        self.tell(shared, "payment_intent.canceled", Kind::Intent, intent);
    }
}
