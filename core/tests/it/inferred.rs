//! Tests which owner a subject has, from its own data and from inferences of other objects, in any order of arrival.

use crate::told::{agreed, at, id, item, subject, subscription};
use purchase_core::{
    fact::{Fact, Link, Links, Observation, Phase, Version, object_state::ObjectState},
    fold::SubjectState,
    id::{CustomerId, ObjectKind, ObjectRef, OfferId, Subject},
};

use purchase_core::fact::object_state::SubscriptionStatus::Active;

/// Parses one link to an owner: `10 own:u1` is the subject's own at second 10, `10+own:u1` the same at its creation,
/// `10 i1:u1` is inferred from invoice `i1`, `10 *:u1` from one of many objects that aren't distinguished.
fn fact(subject: &Subject, place: usize, text: &str) -> Fact {
    let (when, word) = text.split_once([' ', '+']).expect("a second and a word");
    let (by, name) = word.split_once(':').expect("a source and an owner");
    let owner = CustomerId::new(name).expect("an id");
    let object_state: ObjectState = agreed(subscription(Active, item("price", 1)));
    let phase = if text.contains('+') { Phase::Created } else { Phase::Changed };
    let observation = || Observation { object: subject.root.clone(), phase, object_state, prior: None };
    let (observation, link) = match by {
        "own" => (Some(observation()), Link::Owner(owner)),
        "*" => (None, Link::InferredOwner { owner, by: None }),
        by => {
            let by = Some(ObjectRef::new(ObjectKind::Invoice, id(by)));
            (None, Link::InferredOwner { owner, by })
        }
    };
    let version = Version::at(at(when.parse().expect("a second")));
    Fact { subject: subject.clone(), event: id(&format!("e{place}")), version, observation, links: vec![link] }
}

/// Every permutation of `count` places.
fn orders(count: usize) -> Vec<Vec<usize>> {
    match count {
        0 => vec![Vec::new()],
        _ => {
            let place = |order: &Vec<usize>, at: usize| {
                let mut order = order.clone();
                order.insert(at, count - 1);
                order
            };
            orders(count - 1).iter().flat_map(|order| (0..count).map(move |at| place(order, at))).collect()
        }
    }
}

/// Checks the owner, and whether links contradict, for every order of arrival and every order of the events' ids.
#[track_caller]
fn check(words: &[&str], owner: Option<&str>, contradict: bool) {
    let subject = subject(ObjectKind::Subscription, "sub");
    for naming in orders(words.len()) {
        let facts: Vec<Fact> = words.iter().zip(&naming).map(|(word, place)| fact(&subject, *place, word)).collect();
        for arrival in orders(words.len()) {
            let facts: Vec<Fact> = arrival.iter().map(|place| facts[*place].clone()).collect();
            let (state, _) = SubjectState::fold(&subject, &facts);
            let links = state.links();
            let found = (links.owner().map(CustomerId::as_str), links.owners_contradict());
            assert_eq!(found, (owner, contradict), "{words:?}, event ids {naming:?}, arrival {arrival:?}");
        }
    }
}

#[test]
fn a_subject_s_own_owner_takes_precedence_over_inferred_owners() {
    check(&["10 own:u1", "20 i1:u2"], Some("u1"), false);
    check(&["20 own:u1", "10 i1:u2"], Some("u1"), false);
    check(&["10 own:u1", "10 i1:u2"], Some("u1"), false);
    check(&["10+own:u1", "20 i1:u2", "30 i2:u3", "40 *:u4"], Some("u1"), false);
}

#[test]
fn a_subject_s_last_own_word_counts() {
    check(&["10 own:u2", "20 own:u1"], Some("u1"), false);
    check(&["10 own:u1", "20 own:u2", "30 own:u1"], Some("u1"), false);
}

/// A provider whose clock counts seconds reports an object's creation and its first change at the same second.
#[test]
fn in_one_second_a_change_comes_after_the_creation() {
    check(&["10+own:u1", "10 own:u2"], Some("u2"), false);
    check(&["10+own:u2", "10 own:u1"], Some("u1"), false);
    check(&["10+own:u1", "10 own:u2", "11 own:u1"], Some("u1"), false);
}

#[test]
fn an_inferred_owner_counts_if_all_sources_agree() {
    check(&["10 i1:u1"], Some("u1"), false);
    check(&["10 *:u1"], Some("u1"), false);
    check(&["10 i1:u1", "20 i2:u1", "5 *:u1"], Some("u1"), false);
}

#[test]
fn a_contradiction_is_no_owner() {
    check(&["10 i1:u1", "20 i2:u2"], None, true);
    check(&["10 *:u1", "20 *:u2"], None, true);
    check(&["10 i1:u1", "20 *:u2"], None, true);
    // One object with two different owners at the same time contradicts itself.
    check(&["10 i1:u1", "10 i1:u2"], None, true);
    // The subject's own link resolves the contradiction.
    check(&["10 i1:u1", "20 i2:u2", "5 own:u3"], Some("u3"), false);
}

#[test]
fn a_later_word_of_one_object_replaces_its_earlier_one() {
    check(&["10 i1:u1", "20 i1:u2"], Some("u2"), false);
    check(&["10 i1:u1", "20 i1:u2", "30 i1:u1"], Some("u1"), false);
    check(&["10 i1:u1", "20 i1:u2", "15 i2:u2"], Some("u2"), false);
    check(&["10 i1:u1", "20 i1:u2", "15 i2:u1"], None, true);
    // Links from objects that aren't distinguished don't replace each other: each remains.
    check(&["10 *:u1", "20 *:u2", "30 *:u1"], None, true);
}

#[test]
fn an_offer_is_the_subject_s_own_or_what_others_agree_on() {
    let offer = |words: &[(i64, &str, &str)]| {
        let mut links = Links::default();
        for (second, by, name) in words {
            let offer = OfferId::new(*name).expect("an id");
            let link = match *by {
                "own" => Link::Offer(offer),
                by => Link::InferredOffer { offer, by: Some(ObjectRef::new(ObjectKind::Checkout, id(by))) },
            };
            links.join(link, Version::at(at(*second)));
        }
        links.offer().map(|offer| offer.as_str().to_owned())
    };
    assert_eq!(offer(&[(10, "own", "pro"), (20, "cs1", "basic")]), Some("pro".to_owned()));
    assert_eq!(offer(&[(10, "cs1", "basic")]), Some("basic".to_owned()));
    assert_eq!(offer(&[(10, "cs1", "basic"), (20, "cs1", "pro")]), Some("pro".to_owned()));
    assert_eq!(offer(&[(10, "cs1", "basic"), (20, "cs2", "pro")]), None);
    assert_eq!(offer(&[]), None);
}

/// A fact is covered, and needs no write, only if it can't change what is read, now or later.
#[test]
fn a_word_that_is_as_old_as_the_known_one_is_covered() {
    let by = Some(ObjectRef::new(ObjectKind::Invoice, id("i1")));
    let word = Link::InferredOwner { owner: CustomerId::new("u1").expect("an id"), by };
    let mut links = Links::default();
    links.join(word.clone(), Version::at(at(20)));
    let covered = |second| links.cover(std::slice::from_ref(&word), Version::at(at(second)));
    assert_eq!([10, 20, 21].map(covered), [true, true, false]);
}
