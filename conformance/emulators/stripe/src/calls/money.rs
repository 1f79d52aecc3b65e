//! Refunds: made and changed.

use purchase_emulator::Shared;

use super::{Answer, expand::Expand, reading::no_such};
use crate::{
    deeds::RefundRequest,
    fault::Fault,
    params::Params,
    show::Kind,
    state::{ChargeStatus, DisputeStatus},
    stripe::Stripe,
};

impl Stripe {
    pub(crate) fn create_refund(&mut self, shared: &mut Shared, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        let (charge, intent) = (params.text("charge")?, params.text("payment_intent")?);
        let amount = params.int("amount")?;
        let reason = params.one_of("reason", &["duplicate", "fraudulent", "requested_by_customer"], &[])?;
        let metadata = params.metadata()?.new_object();
        params.end()?;
        let charge = self.refunded_charge(charge, intent)?;
        let amount = self.refundable(&charge, amount)?;
        let reason = reason.map(str::to_owned);
        let id = self.refund(shared, RefundRequest { charge, amount, reason, metadata });
        self.shows(Kind::Refund, &id, expand)
    }

    fn refunded_charge(&self, charge: Option<String>, intent: Option<String>) -> Result<String, Fault> {
        let Some(intent) = intent else {
            let message = "One of the following params should be provided for this request: payment_intent or charge.";
            let charge = charge.ok_or_else(|| Fault::refused(Some("parameter_missing"), message))?;
            self.charges.find(&charge).ok_or_else(|| Fault::no_such_in("charge", "charge", &charge))?;
            return Ok(charge);
        };
        let it = self.intents.find(&intent);
        let it = it.ok_or_else(|| Fault::no_such_in("payment_intent", "payment_intent", &intent))?;
        let latest = it.latest_charge.clone().filter(|id| self.charges.at(id).status == ChargeStatus::Succeeded);
        let Some(latest) = latest else {
            let message = format!("This PaymentIntent ({intent}) does not have a successful charge to refund.");
            return Err(Fault::refused(None, message).on("payment_intent"));
        };
        match charge.is_some_and(|charge| charge != latest) {
            true => Err(Fault::refused(None, "The charge does not belong to the payment_intent.").on("charge")),
            false => Ok(latest),
        }
    }

    fn refundable(&self, charge: &str, amount: Option<i64>) -> Result<i64, Fault> {
        let it = self.charges.at(charge);
        if it.status != ChargeStatus::Succeeded {
            return Err(Fault::refused(None, format!("Charge {charge} cannot be refunded: it did not succeed.")));
        }
        let withheld = self.disputes.all().filter(|dispute| dispute.charge == charge);
        let withheld = withheld.filter(|dispute| {
            matches!(dispute.status, DisputeStatus::Lost | DisputeStatus::NeedsResponse | DisputeStatus::UnderReview)
        });
        if withheld.count() > 0 {
            let message = format!("Charge {charge} has been charged back; cannot issue a refund.");
            return Err(Fault::refused(Some("charge_disputed"), message));
        }
        let left = it.amount - self.counted_refunds(charge);
        if left == 0 {
            let message = format!("Charge {charge} has already been refunded.");
            return Err(Fault::refused(Some("charge_already_refunded"), message));
        }
        match amount.unwrap_or(left) {
            amount if amount < 1 => {
                let message = "Invalid positive integer";
                Err(Fault::invalid(Some("parameter_invalid_integer"), "amount", message))
            }
            amount if amount > left => {
                let message = format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({left})");
                Err(Fault::refused(None, message).on("amount"))
            }
            amount => Ok(amount),
        }
    }

    pub(crate) fn update_refund(&mut self, shared: &mut Shared, id: &str, mut params: Params) -> Answer {
        let (expand, metadata) = (Expand::of(&mut params)?, params.metadata()?);
        params.end()?;
        self.refunds.find(id).ok_or_else(|| no_such(Kind::Refund, id))?;
        let events = ["refund.updated", "charge.refund.updated"];
        self.changing_with(shared, &events, (Kind::Refund, id), |it, _| {
            metadata.apply(&mut it.refunds.change(id).metadata);
        });
        self.shows(Kind::Refund, id, expand)
    }
}
