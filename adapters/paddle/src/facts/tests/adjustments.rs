//! Tests of adjustments: every action in every status.

use purchase_core::fact::object_state::{
    Credit, CreditState, Dispute, DisputeState, Refund, RefundState, RefundedLine, Reversal, Undone,
};

use super::*;

const STATUSES: [&str; 5] = ["pending_approval", "approved", "rejected", "reversed", "hibernating"];

fn adjustment(action: &str, status: &str) -> Value {
    json!({
        "id": "adj_1", "action": action, "status": status, "transaction_id": "txn_1", "subscription_id": "sub_1",
        "customer_id": "ctm_1", "currency_code": "USD", "totals": {"total": "10887", "currency_code": "USD"},
    })
}

fn shown(action: &str) -> [ObjectState; 5] {
    STATUSES.map(|status| object_state("adjustment.updated", adjustment(action, status)))
}

fn told(action: &str) -> String {
    let mut lines = lines(&facts("adjustment.created", adjustment(action, "approved")));
    assert_eq!(lines.len(), 1, "{action}");
    lines.remove(0)
}

#[test]
fn a_refund_is_the_payment_s() {
    use RefundState::{Failed, Pending, Succeeded, Unknown};
    let refund = |state| ObjectState::Refund(Refund::new(state, money(10_887, "USD")));
    assert_eq!(shown("refund"), [Pending, Succeeded, Failed, Failed, Unknown].map(refund));
    let expect = "payment:txn_1 shows refund:adj_1 created of customer:ctm_1 invoice:txn_1 subscription:sub_1";
    assert_eq!(told("refund"), expect);
}

/// `item_id` names a line of the transaction, and `type` says whether it is the whole line.
#[test]
fn a_refund_names_the_lines_that_it_takes() {
    let item = |id: Value, of: &str, total: Value| json!({"item_id": id, "type": of, "totals": {"total": total}});
    let lines = |items: Value| {
        let object = with(adjustment("refund", "approved"), json!({ "items": items }));
        match object_state("adjustment.updated", object) {
            ObjectState::Refund(it) => it.lines,
            object_state => panic!("{object_state:?}"),
        }
    };
    let line = |id: &str, amount_minor, whole| {
        let line = purchase_core::id::ProviderId::new(id).expect("id");
        RefundedLine { line, amount_minor, whole }
    };
    let items = json!([
        item(json!("txnitm_2"), "full", json!("500")),
        item(json!("txnitm_1"), "partial", json!("120")),
        item(json!("txnitm_3"), "tax", json!("20")),
        item(json!("txnitm_4"), "proration", json!("30")),
        item(json!(null), "full", json!("7")),
    ]);
    let expect = [
        line("txnitm_1", 120, false),
        line("txnitm_2", 500, true),
        line("txnitm_3", 20, false),
        line("txnitm_4", 30, false),
    ];
    assert_eq!(lines(items), expect);
    assert_eq!(lines(json!([{"item_id": "txnitm_1", "type": "full"}])), [line("txnitm_1", 0, true)]);
    assert_eq!(lines(json!("remove")), []);
    assert_eq!(lines(json!(null)), []);
}

#[test]
fn a_chargeback_is_a_dispute() {
    use DisputeState::{Closed, Open, Unknown, Won};
    let dispute = |state| ObjectState::Dispute(Dispute { state, amount: money(10_887, "USD") });
    assert_eq!(shown("chargeback"), [Open, Open, Closed, Won, Unknown].map(dispute));
    let expect = "payment:txn_1 shows dispute:adj_1 created of customer:ctm_1 invoice:txn_1 subscription:sub_1";
    assert_eq!(told("chargeback"), expect);
}

#[test]
fn a_warning_is_an_inquiry() {
    use DisputeState::{Closed, Inquiry, Unknown};
    let dispute = |state| ObjectState::Dispute(Dispute { state, amount: money(10_887, "USD") });
    assert_eq!(shown("chargeback_warning"), [Inquiry, Inquiry, Closed, Closed, Unknown].map(dispute));
}

#[test]
fn a_credit_is_the_invoice_s() {
    use CreditState::{Issued, Pending, Rejected, Reversed, Unknown};
    let credit = |state| ObjectState::Credit(Credit { state, amount: money(10_887, "USD") });
    assert_eq!(shown("credit"), [Pending, Issued, Rejected, Reversed, Unknown].map(credit));
    let expect = "invoice:txn_1 shows credit:adj_1 created of customer:ctm_1 payment:txn_1 subscription:sub_1";
    assert_eq!(told("credit"), expect);
}

#[test]
fn a_reversal_undoes_something_once_it_is_approved() {
    let undoing = |undoes| {
        [Undone::Nothing, undoes, Undone::Nothing, Undone::Nothing, Undone::Nothing]
            .map(|undoes| ObjectState::Reversal(Reversal { undoes }))
    };
    assert_eq!(shown("chargeback_reverse"), undoing(Undone::Dispute));
    assert_eq!(shown("chargeback_warning_reverse"), undoing(Undone::Inquiry));
    assert_eq!(shown("credit_reverse"), undoing(Undone::Credit));
    let rest = "of customer:ctm_1 invoice:txn_1 subscription:sub_1";
    assert_eq!(told("chargeback_reverse"), format!("payment:txn_1 shows reversal:adj_1 created {rest}"));
    let rest = "of customer:ctm_1 payment:txn_1 subscription:sub_1";
    assert_eq!(told("credit_reverse"), format!("invoice:txn_1 shows reversal:adj_1 created {rest}"));
}

#[test]
fn an_action_that_is_not_known_is_kept_and_undoes_nothing() {
    let nothing = ObjectState::Reversal(Reversal { undoes: Undone::Nothing });
    assert_eq!(shown("haggle"), [&nothing; 5].map(Clone::clone));
    let expect = "payment:txn_1 shows reversal:adj_1 created of customer:ctm_1 invoice:txn_1 subscription:sub_1";
    assert_eq!(told("haggle"), expect);
}

#[test]
fn a_purchase_without_a_subscription_names_none() {
    let object = with(adjustment("refund", "approved"), json!({"subscription_id": null}));
    let lines = lines(&facts("adjustment.updated", object));
    assert_eq!(lines, ["payment:txn_1 shows refund:adj_1 changed of customer:ctm_1 invoice:txn_1"]);
}

#[test]
fn a_fault_names_its_path() {
    let fault = |over| fault("adjustment.created", with(adjustment("refund", "approved"), over));
    assert_eq!(fault(json!({"transaction_id": null})), shape("data.transaction_id", "id", "null"));
    assert_eq!(fault(json!({"action": 5})), shape("data.action", "string", "integer"));
    assert_eq!(fault(json!({"id": "remove"})), shape("data.id", "id", "nothing"));
    let total = shape("data.totals.total", "text of integer minor units", "integer");
    assert_eq!(fault(json!({"totals": {"total": 10_887}})), total);
}
