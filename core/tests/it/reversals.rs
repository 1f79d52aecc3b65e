//! Tests which dispute or credit a reversal ends if it doesn't name one: the oldest that is still open.

use purchase_core::{
    fact::{
        Fact, Observation, Phase, Version,
        object_state::{Credit, CreditState, Dispute, DisputeState, ObjectState, Reversal, Undone},
    },
    fold::SubjectState,
    id::{Mode, ObjectKind, ObjectRef, ProviderId, ProviderName, Source, Subject},
    money::{Currency, Money},
    time::Timestamp,
};

fn id(text: impl Into<String>) -> ProviderId {
    ProviderId::new(text.into()).expect("id")
}

fn subject() -> Subject {
    Subject {
        source: Source { provider: ProviderName::new("acme").expect("name"), account: None, mode: Mode::Test },
        root: ObjectRef::new(ObjectKind::Payment, id("pay")),
    }
}

fn object_state(word: &str) -> ObjectState {
    let amount = Money::new(9, Currency::new("EUR").expect("EUR")).expect("in range");
    let dispute = |state| ObjectState::Dispute(Dispute { state, amount });
    let credit = |state| ObjectState::Credit(Credit { state, amount });
    match word {
        "open" => dispute(DisputeState::Open),
        "won" => dispute(DisputeState::Won),
        "inquiry" => dispute(DisputeState::Inquiry),
        "pending" => credit(CreditState::Pending),
        "issued" => credit(CreditState::Issued),
        "-dispute" => ObjectState::Reversal(Reversal { undoes: Undone::Dispute }),
        "-inquiry" => ObjectState::Reversal(Reversal { undoes: Undone::Inquiry }),
        "-credit" => ObjectState::Reversal(Reversal { undoes: Undone::Credit }),
        other => panic!("{other} is not a state"),
    }
}

/// Observations, one per second: `b=open`.
fn check(observations: &str, expect: &str) {
    let facts: Vec<Fact> = observations
        .split_whitespace()
        .zip(1..)
        .map(|(text, second)| {
            let (name, word) = text.split_once('=').expect("a name and a state");
            let object_state = object_state(word);
            let object = ObjectRef::new(object_state.kind(), id(name));
            Fact {
                subject: subject(),
                event: id(format!("e{second}")),
                version: Version::at(Timestamp::from_seconds(second).expect("in range")),
                observation: Some(Observation { object, phase: Phase::Changed, object_state, prior: None }),
                links: Vec::new(),
            }
        })
        .collect();
    let (state, _) = SubjectState::fold(&subject(), &facts);
    let disputes = state.disputes().into_iter().map(|(object, it)| (object, format!("{:?}", it.state)));
    let credits = state.credits().into_iter().map(|(object, it)| (object, format!("{:?}", it.state)));
    let shown: Vec<String> = disputes
        .chain(credits)
        .map(|(object, state)| format!("{}={}", object.id.expose(), state.to_lowercase()))
        .collect();
    assert_eq!(shown.join(" "), expect, "{observations}");
}

#[test]
fn the_oldest_is_ended() {
    check("b=open a=open r=-dispute", "b=won a=open");
    check("b=inquiry a=open r=-inquiry", "b=closed a=open");
    check("b=issued a=issued r=-credit", "b=reversed a=issued");
}

#[test]
fn an_object_that_is_observed_again_keeps_its_age() {
    check("b=open a=open b=open r=-dispute", "b=won a=open");
    check("b=pending a=issued b=issued r=-credit", "b=reversed a=issued");
}

#[test]
fn an_object_that_shows_its_own_end_is_not_reversed_twice() {
    check("b=open a=open r=-dispute b=won", "b=won a=open");
    check("b=open a=open r=-dispute b=won s=-dispute", "b=won a=won");
}
