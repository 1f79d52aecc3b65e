//! The three words of the set law: joining is associative, commutative and idempotent; and its practical half: folding
//! one fact at a time ends where folding all of them at once does.

use proptest::prelude::*;
use purchase_core::{
    fact::{
        Fact, Link, Phase, Sight, Version,
        history::History,
        order::{self, Photograph},
        photo::{Invoice, InvoiceState, Item, Period, Photo, Subscription, SubscriptionStatus},
    },
    fold::SubjectState,
    id::{Mode, ObjectKind, ObjectRef, ProviderId, ProviderName, Source, Subject},
    money::{Currency, Money},
    time::Timestamp,
};

fn id(text: impl Into<String>) -> ProviderId {
    ProviderId::new(text.into()).expect("id")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).expect("in range")
}

fn subject() -> Subject {
    Subject {
        source: Source { provider: ProviderName::new("acme").expect("name"), account: None, mode: Mode::Test },
        root: ObjectRef::new(ObjectKind::Subscription, id("s")),
    }
}

/// Few values per field, so that ties, equal states and cycles are common.
fn subscription() -> impl Strategy<Value = Photo> {
    let status = prop_oneof![
        4 => Just(SubscriptionStatus::Active),
        1 => Just(SubscriptionStatus::PastDue),
        1 => Just(SubscriptionStatus::Pending),
        1 => Just(SubscriptionStatus::Unknown),
        1 => Just(SubscriptionStatus::Canceled),
    ];
    (status, 1..4_u64, proptest::option::of(0..2_i64), 0..2_i64).prop_map(|(status, quantity, cancel_at, start)| {
        Photo::Subscription(Box::new(Subscription {
            status,
            provider_status: format!("{status:?}"),
            items: vec![Item { price: id("p"), quantity: Some(quantity) }],
            period: Some(Period { start: at(start), end: at(start + 10) }),
            trial_end: None,
            cancel_at: cancel_at.map(at),
            ended_at: (status == SubscriptionStatus::Canceled).then(|| at(5)),
            pause_at: None,
            resume_at: None,
            collection_paused: false,
        }))
    })
}

fn invoice() -> impl Strategy<Value = Photo> {
    let state = prop_oneof![
        Just(InvoiceState::Draft),
        Just(InvoiceState::Open),
        Just(InvoiceState::Uncollectible),
        Just(InvoiceState::Paid),
        Just(InvoiceState::Void),
    ];
    (state, 0..3_i64, 0..3_u32).prop_map(|(state, paid, attempts)| {
        let money = |minor| Money::new(minor, Currency::new("EUR").expect("EUR")).expect("in range");
        Photo::Invoice(Invoice {
            state,
            total: money(3),
            amount_paid: money(paid),
            attempts,
            renews: false,
            finalized_at: None,
            paid_at: (state == InvoiceState::Paid).then(|| at(7)),
            voided_at: None,
            deleted: false,
        })
    })
}

/// Facts with distinct events, over few instants.
fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let phase = prop_oneof![1 => Just(Phase::Created), 6 => Just(Phase::Changed), 1 => Just(Phase::Ended)];
    let objects = prop_oneof![
        3 => (Just(ObjectKind::Subscription), subscription(), proptest::option::of(subscription())),
        1 => (Just(ObjectKind::Invoice), invoice(), proptest::option::of(invoice())),
    ];
    let fact = (objects, phase, 0..4_i64, 0..3_u8, any::<u16>());
    proptest::collection::vec(fact, 1..12).prop_map(|facts| {
        facts
            .into_iter()
            .enumerate()
            .map(|(place, ((kind, photo, prior), phase, seconds, customer, salt))| Fact {
                subject: subject(),
                event: id(format!("{salt:04x}{place}")),
                version: Version::at(at(seconds)),
                sight: Some(Sight { object: ObjectRef::new(kind, id("o")), phase, photo, prior }),
                links: vec![Link::Customer(id(format!("c{customer}")))],
            })
            .collect()
    })
}

fn history(facts: &[Fact]) -> History {
    let mut history = History::default();
    for fact in facts {
        let sight = fact.sight.as_ref().expect("generated with one");
        if sight.object.kind == ObjectKind::Subscription {
            let photograph = Photograph {
                event: fact.event.clone(),
                phase: sight.phase,
                photo: sight.photo.clone(),
                prior: sight.prior.clone(),
            };
            history.insert(fact.version, photograph);
        }
    }
    history
}

fn merged(parts: &[&[Fact]]) -> History {
    let mut all = History::default();
    for part in parts {
        all.merge(history(part));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn joining_is_associative_commutative_and_idempotent(facts in facts(), cut in 0..12_usize, other in 0..12_usize) {
        let (cut, other) = (cut.min(facts.len()), other.min(facts.len()));
        let (low, high) = (cut.min(other), cut.max(other));
        let (a, b, c) = (&facts[..low], &facts[low..high], &facts[high..]);
        let mut right = merged(&[b, c]);
        let mut left_first = history(a);
        left_first.merge(right.clone());
        let mut right_first = merged(&[a, b]);
        right_first.merge(history(c));
        prop_assert_eq!(&left_first, &right_first);
        right.merge(history(a));
        prop_assert_eq!(&left_first, &right);
        let mut twice = left_first.clone();
        twice.merge(left_first.clone());
        prop_assert_eq!(&left_first, &twice);
        prop_assert_eq!(
            left_first.fold(|_, _| {}).map(|register| register.settled()),
            twice.fold(|_, _| {}).map(|register| register.settled())
        );
    }

    #[test]
    fn any_order_folds_to_the_same_state(facts in facts(), seed in any::<u64>()) {
        let expect = SubjectState::fold(&subject(), &facts);
        let mut shuffled = facts.clone();
        // A fixed permutation from the seed: rotate and reverse parts.
        let len = shuffled.len();
        shuffled.rotate_left(usize::try_from(seed % len as u64).expect("small"));
        shuffled[len / 2..].reverse();
        shuffled.extend(facts.iter().take(len / 2).cloned());
        prop_assert_eq!(SubjectState::fold(&subject(), &shuffled), expect);
    }

    #[test]
    fn one_at_a_time_ends_where_all_at_once_does(mut facts in facts(), shuffle in any::<bool>()) {
        if !shuffle {
            facts.sort_by_key(|fact| fact.version);
        }
        let mut state = SubjectState::default();
        let mut taken: Vec<Fact> = Vec::new();
        for fact in &facts {
            taken.push(fact.clone());
            if state.apply(fact).is_err() {
                state = SubjectState::fold(&subject(), &taken).0;
            }
        }
        prop_assert_eq!(state, SubjectState::fold(&subject(), &facts).0);
    }

    #[test]
    fn in_order_arrival_is_never_late(mut facts in facts()) {
        facts.sort_by_key(|fact| fact.version);
        let mut state = SubjectState::default();
        for fact in &facts {
            prop_assert_eq!(state.apply(fact), Ok(()));
        }
    }

    #[test]
    fn settling_is_a_function_of_the_set(facts in facts(), before in proptest::option::of(subscription())) {
        let mut tied: Vec<Photograph> = facts
            .iter()
            .filter_map(|fact| {
                let sight = fact.sight.clone()?;
                (sight.object.kind == ObjectKind::Subscription).then(|| Photograph {
                    event: fact.event.clone(),
                    phase: sight.phase,
                    photo: sight.photo,
                    prior: sight.prior,
                })
            })
            .collect();
        let Some(expect) = order::settle(&tied, before.as_ref()).map(|verdict| (verdict.winner.clone(), verdict.ambiguous))
        else { return Ok(()) };
        for _ in 0..tied.len() {
            tied.rotate_left(1);
            let verdict = order::settle(&tied, before.as_ref()).expect("not empty");
            prop_assert_eq!((verdict.winner.clone(), verdict.ambiguous), expect.clone());
        }
    }

    /// The oracle: a walk over states in one instant, told as edges in any order, ends where it ended; unless it
    /// is a closed walk whose start nobody saw.
    #[test]
    fn a_walk_told_in_any_order_ends_where_it_ended(
        steps in proptest::collection::vec(0..4_usize, 1..8),
        photos in proptest::collection::hash_set(subscription(), 4..5),
        created in any::<bool>(),
        rotate in 0..8_usize,
    ) {
        let photos: Vec<Photo> = photos.into_iter().filter(|photo| !photo.is_terminal()).collect();
        prop_assume!(photos.len() >= 2);
        let walk: Vec<&Photo> = steps.iter().map(|step| &photos[step % photos.len()]).collect();
        let mut tied: Vec<Photograph> = walk
            .windows(2)
            .enumerate()
            .map(|(place, step)| Photograph {
                event: id(format!("e{}", 90 - place)),
                phase: Phase::Changed,
                photo: step[1].clone(),
                prior: Some(step[0].clone()),
            })
            .collect();
        if created {
            tied.push(Photograph { event: id("e99"), phase: Phase::Created, photo: walk[0].clone(), prior: None });
        }
        prop_assume!(!tied.is_empty());
        let len = tied.len();
        tied.rotate_left(rotate % len);
        let before = (!created).then(|| walk[0].clone());
        let verdict = order::settle(&tied, before.as_ref()).expect("not empty");
        prop_assert_eq!(&verdict.winner.photo, walk[walk.len() - 1]);
        prop_assert!(!verdict.ambiguous);
    }
}
