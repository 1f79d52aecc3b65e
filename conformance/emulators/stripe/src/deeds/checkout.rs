//! What a buyer does at the checkout page, and how a session ends.

use purchase_emulator::Shared;

use super::pay::Ask;
use crate::{
    cards::{Decline, TestMethod},
    ids,
    show::Kind,
    state::{Buyer, Customer, IntentStatus, Metadata, Mode, SessionPayment, SessionStatus},
    stripe::Stripe,
};

/// What a buyer enters.
#[derive(Debug, Clone)]
pub(crate) struct Buyers {
    pub(crate) method: TestMethod,
    pub(crate) buyer: Buyer,
    /// How 3-D Secure ends; none when the buyer has not got there yet.
    pub(crate) authenticates: Option<bool>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The session is complete.
    Complete,
    /// The payment failed, and the session is still open.
    Declined(Decline),
    /// The buyer must authenticate.
    NeedsAuthentication,
}

impl Stripe {
    /// A buyer submits the checkout page.
    pub(crate) fn submit(&mut self, shared: &mut Shared, id: &str, mut buyers: Buyers) -> Result<Outcome, String> {
        let session = self.sessions.find(id).ok_or_else(|| format!("there is no checkout session {id}"))?;
        if session.status != SessionStatus::Open {
            return Err(format!("the checkout session is {}", session.status.as_str()));
        }
        let (mode, due) = (session.mode, self.session_total(session));
        if (due > 0 || mode == Mode::Subscription) && !session.methods.iter().any(|it| it == buyers.method.kind()) {
            return Err(format!("the checkout session doesn't accept {}", buyers.method.kind()));
        }
        if buyers.buyer.email.is_none() {
            // The page asks for an address; whoever completes the session otherwise needn't think of one.
            buyers.buyer.email = self.session_email(session).or_else(|| Some("buyer@example.com".to_owned()));
        }
        if due == 0 {
            return Ok(self.submit_free(shared, id, &buyers));
        }
        let verdict = verdict(&buyers);
        if verdict.is_none() {
            self.meet(shared, id, &buyers.buyer);
        }
        let intent = self.intent_of(shared, id, due);
        let method = self.new_method(shared, &buyers);
        match verdict {
            Some(Outcome::NeedsAuthentication) => {
                if self.intents.at(&intent).status != IntentStatus::RequiresAction {
                    self.require_action(shared, &intent, &method);
                }
                return Ok(Outcome::NeedsAuthentication);
            }
            Some(Outcome::Declined(decline)) => {
                self.fail(shared, &intent, &method, decline);
                return Ok(Outcome::Declined(decline));
            }
            _ if buyers.method.is_debit() => {
                self.begin_debit(shared, &intent, &method, buyers.method == TestMethod::DebitFails);
            }
            _ => self.succeed(shared, &intent, &method),
        }
        let payment = if buyers.method.is_debit() { SessionPayment::Unpaid } else { SessionPayment::Paid };
        self.complete(shared, id, &buyers.buyer, payment, Some(&method));
        Ok(Outcome::Complete)
    }

    /// Nothing is due. A subscription's payment method is saved all the same.
    fn submit_free(&mut self, shared: &mut Shared, id: &str, buyers: &Buyers) -> Outcome {
        let mut method = None;
        if self.sessions.at(id).mode == Mode::Subscription {
            match verdict(buyers) {
                // The card can be saved, and only its charges fail.
                Some(Outcome::Declined(_))
                    if !buyers.method.cannot_be_saved() && buyers.authenticates != Some(false) => {}
                Some(outcome) => return outcome,
                None => {}
            }
            method = Some(self.new_method(shared, buyers));
        }
        self.meet(shared, id, &buyers.buyer);
        self.complete(shared, id, &buyers.buyer, SessionPayment::NotRequired, method.as_deref());
        Outcome::Complete
    }

    /// Makes sure that there is a customer where the session needs one.
    fn meet(&mut self, shared: &mut Shared, id: &str, buyer: &Buyer) {
        let session = self.sessions.at(id);
        let needed = session.mode == Mode::Subscription || session.always_creates_customer;
        if session.customer.is_some() || !needed {
            return;
        }
        let customer = self.new_customer(shared);
        let it = self.customers.change(&customer);
        (it.email, it.name) = (buyer.email.clone(), buyer.name.clone());
        self.tell(shared, "customer.created", Kind::Customer, &customer);
        self.sessions.change(id).customer = Some(customer);
    }

    /// A customer without any data. The event of its creation is the caller's.
    pub(crate) fn new_customer(&mut self, shared: &mut Shared) -> String {
        let id = ids::short(&mut shared.draw, "cus");
        let customer = Customer {
            id: id.clone(),
            created: shared.second(),
            email: None,
            name: None,
            phone: None,
            description: None,
            metadata: Metadata::new(),
            currency: None,
            delinquent: false,
            invoice_prefix: ids::invoice_prefix(&mut shared.draw),
            next_invoice: 1,
            deleted: false,
        };
        self.customers.add(&id, customer);
        id
    }

    /// The session's payment intent. It exists from the first attempt on.
    fn intent_of(&mut self, shared: &mut Shared, id: &str, due: i64) -> String {
        let session = self.sessions.at(id);
        let customer = session.customer.clone();
        if let Some(intent) = session.intent.clone() {
            self.intents.change(&intent).customer = customer;
            return intent;
        }
        let payment = session.mode == Mode::Payment;
        let ask = Ask {
            amount: due,
            currency: session.currency.clone(),
            customer,
            description: match payment {
                true => session.led.description.clone(),
                false => Some("Subscription creation".to_owned()),
            },
            metadata: if payment { session.led.metadata.clone() } else { Metadata::new() },
            methods: session.methods.clone(),
            keeps_method: !payment,
            invoice: None,
            session: Some(id.to_owned()),
        };
        let intent = self.new_intent(shared, ask);
        self.sessions.change(id).intent = Some(intent.clone());
        intent
    }

    fn complete(
        &mut self,
        shared: &mut Shared,
        id: &str,
        buyer: &Buyer,
        payment: SessionPayment,
        method: Option<&str>,
    ) {
        let session = self.sessions.change(id);
        session.status = SessionStatus::Complete;
        session.payment = payment;
        session.buyer = Some(buyer.clone());
        if let (Mode::Subscription, Some(method)) = (session.mode, method) {
            self.subscribe(shared, id, method);
        }
        let shown = self.shown(Kind::Session, id);
        let late = self.settings.session_event_late_seconds;
        self.event(shared, "checkout.session.completed", shown, None, late);
    }

    /// A delayed payment of a complete session ends.
    pub(crate) fn end_delayed(&mut self, shared: &mut Shared, id: &str, succeeded: bool) {
        let session = self.sessions.change(id);
        match succeeded {
            true => session.payment = SessionPayment::Paid,
            false => session.failed_later = true,
        }
        let result = if succeeded { "succeeded" } else { "failed" };
        self.tell(shared, &format!("checkout.session.async_payment_{result}"), Kind::Session, id);
    }

    /// A session expires, if it is still open.
    pub(crate) fn expire_session(&mut self, shared: &mut Shared, id: &str) {
        let session = self.sessions.change(id);
        if session.status != SessionStatus::Open {
            return;
        }
        session.status = SessionStatus::Expired;
        if let Some(intent) = session.intent.clone() {
            self.cancel_intent(shared, &intent);
        }
        self.tell(shared, "checkout.session.expired", Kind::Session, id);
    }
}

/// What keeps a payment from succeeding, or from beginning as a debit.
fn verdict(buyers: &Buyers) -> Option<Outcome> {
    match buyers.authenticates {
        None if buyers.method.needs_authentication() => Some(Outcome::NeedsAuthentication),
        Some(false) => Some(Outcome::Declined(Decline::Authentication)),
        _ => buyers.method.decline().map(Outcome::Declined),
    }
}
