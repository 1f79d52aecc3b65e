//! Tests what a public id from a receipt or the log leads to.

use purchase_core::{
    fact::{
        Link,
        object_state::{ObjectState, Refund, RefundState},
    },
    id::{ObjectKind, ObjectRef, Subject},
};

use super::{
    acme::{self, body, delivery, engine, id, linked, money, told},
    adapters::{paid, subscription},
};

#[tokio::test]
async fn an_event_is_found_by_the_id_that_its_receipt_shows() {
    let engine = engine();
    let bodies = ["e1", "e2"].map(|event| body(event, 1, Vec::new()));
    let mut shown = Vec::new();
    for body in &bodies {
        shown.push(engine.handle(delivery(body)).await.expect("accepted").event);
    }
    engine.handle(delivery(&acme::Body { at: 9, ..bodies[0].clone() })).await.expect_err("a conflict");
    for (public_id, body) in shown.iter().zip(&bodies) {
        let found = engine.event_by_public_id(public_id).await.expect("memory").expect("a stored event");
        assert_eq!(found.event.key.id.expose(), body.id);
        assert_eq!(found.event.body, serde_json::to_vec(body).expect("JSON"));
    }
    for unknown in ["event_00000000000000000000", "e1", ""] {
        assert_eq!(engine.event_by_public_id(unknown).await.expect("memory"), None);
    }
}

#[tokio::test]
async fn an_object_is_found_by_its_public_id_also_as_a_member() {
    let engine = engine();
    let links = || vec![Link::Customer(id("cus"))];
    let mut refund = linked(ObjectKind::Payment, "pay", Vec::new());
    let refunded = ObjectRef::new(ObjectKind::Refund, id("re"));
    let object_state = ObjectState::Refund(Refund::new(RefundState::Succeeded, money(900)));
    refund.object = Some((refunded.clone(), object_state, None));
    let facts = vec![
        told(ObjectKind::Subscription, "sub", subscription(1), links()),
        told(ObjectKind::Payment, "pay", paid(), links()),
        refund,
    ];
    engine.handle(delivery(&body("e1", 1, facts))).await.expect("accepted");
    let sub = acme::subject(ObjectKind::Subscription, "sub");
    let found = engine.object_by_public_id(&sub.public_id()).await.expect("memory").expect("a stored object");
    assert_eq!((found.subject, found.revision), (sub, 1));
    let member = Subject { source: acme::source(), root: refunded };
    let found = engine.object_by_public_id(&member.public_id()).await.expect("memory").expect("a stored object");
    assert_eq!(found.subject, acme::subject(ObjectKind::Payment, "pay"));
    assert_eq!(found.state.figures().refunded, 900);
    for unknown in ["subscription_00000000000000000000", "refund_00000000000000000000", "chair_1", ""] {
        assert_eq!(engine.object_by_public_id(unknown).await.expect("memory"), None, "{unknown}");
    }
}
