//! Decides whether only genuine deliveries are accepted. Each law also checks in the same run that genuine ones are
//! accepted, so that an endpoint which refuses everything breaks it.

use purchase_core::{delivery::Delivery, error::Refusal, verify::SignatureError};
use rand::{RngExt, rngs::StdRng};

use crate::{
    law::Trial,
    receiver::Answer,
    rig::{Bench, Setup, TOLERANCE_SECONDS},
    under_test::Signed,
    verdict::{Broken, Held, Verdict, ensure},
};

/// How many deliveries of a scenario are tampered with.
const DELIVERIES: usize = 3;

/// How many bytes of each body are changed, one at a time.
const BYTES: usize = 16;

/// A secret that no endpoint has unless a law configures it.
const OTHER: &str = "a_secret_that_the_kit_made_up";

pub(crate) async fn tampered_body(trial: &Trial) -> Verdict {
    let mut random = trial.random("P01");
    let mut checks = 0;
    for (index, genuine) in trial.rig.sign(&trial.scenario)?.into_iter().take(DELIVERIES).enumerate() {
        let compact = compact(&genuine.body);
        let mut forgeries: Vec<(String, Delivery)> = tampered(&genuine.body, &mut random)
            .into_iter()
            .map(|(what, body)| (what, Delivery { body, ..genuine.clone() }))
            .collect();
        // This body means the same and was not signed. It exposes an adapter that checks the signature over what it
        // parsed.
        let mut good = vec![genuine.clone()];
        if let Some(compact) = compact.filter(|compact| *compact != genuine.body) {
            let compact_signed = trial.rig.sign_body(&trial.scenario, compact)?;
            let headers = compact_signed.headers.clone();
            forgeries.push(("the same JSON in different bytes".to_owned(), Delivery { headers, ..genuine.clone() }));
            good.push(compact_signed);
        }
        checks += judge(trial, index, forgeries, good).await?;
    }
    Ok(Held { checks })
}

fn tampered(body: &[u8], random: &mut StdRng) -> Vec<(String, Vec<u8>)> {
    let mut tampered = Vec::new();
    for _ in 0..BYTES.min(body.len()) {
        let at = random.random_range(0..body.len());
        let mut changed = body.to_vec();
        changed[at] ^= 1 << random.random_range(0..7);
        tampered.push((format!("byte {at} changed"), changed));
    }
    tampered.push(("a line break added".to_owned(), [body, b"\n"].concat()));
    tampered.push(("a space added before it".to_owned(), [b" ", body].concat()));
    tampered.push(("the last byte cut off".to_owned(), body[..body.len().saturating_sub(1)].to_vec()));
    tampered.push(("no body".to_owned(), Vec::new()));
    if let Some(compact) = compact(body).filter(|compact| compact != body) {
        tampered.push(("the same JSON in different bytes".to_owned(), compact));
    }
    tampered.retain(|(_, changed)| changed != body);
    tampered
}

/// The body as a JSON library would write it again.
fn compact(body: &[u8]) -> Option<Vec<u8>> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(value.to_string().into_bytes())
}

pub(crate) async fn tampered_signature(trial: &Trial) -> Verdict {
    let mut checks = 0;
    let scenario = &trial.scenario;
    for (index, recorded) in scenario.deliveries.iter().take(DELIVERIES).enumerate() {
        let genuine = trial.rig.sign_body(scenario, recorded.body.clone())?;
        let sign = |secret, body: &[u8]| (trial.rig.provider.sign)(&[secret], body, scenario.as_of);
        let signed = sign(scenario.secret.as_str(), &genuine.body);
        let mut forged = changed_bytes(&signed);
        forged.extend((trial.rig.provider.forge)(&signed).into_iter().map(|(what, it)| (what.to_owned(), it)));
        forged.push(("signed with another secret".to_owned(), sign(OTHER, &genuine.body)));
        forged.push(("the signature of another body".to_owned(), sign(&scenario.secret, b"{}")));
        forged.push(("no headers".to_owned(), Signed::default()));
        let forgeries = forged
            .into_iter()
            .map(|(what, signed)| (what, Delivery { headers: signed.headers(), ..genuine.clone() }))
            .collect();
        checks += judge(trial, index, forgeries, vec![genuine.clone()]).await?;
    }
    Ok(Held { checks })
}

/// Changes each byte of each header's value in its lowest bit. That never changes only the case of a letter.
fn changed_bytes(signed: &Signed) -> Vec<(String, Signed)> {
    let mut changed = Vec::new();
    for (nth, (name, value)) in signed.0.iter().enumerate() {
        for at in 0..value.len() {
            let mut forged = signed.clone();
            forged.0[nth].1[at] ^= 1;
            changed.push((format!("byte {at} of {name} changed"), forged));
        }
    }
    changed
}

pub(crate) async fn replay_window(trial: &Trial) -> Verdict {
    let scenario = &trial.scenario;
    let Some(recorded) = scenario.deliveries.first() else { return Err(Broken::new("the scenario has no delivery")) };
    let signed = trial.rig.sign_body(scenario, recorded.body.clone())?;
    let tolerance = i64::from(TOLERANCE_SECONDS);
    let mut checks = 0;
    for age in [0, tolerance, -tolerance, tolerance + 1, -tolerance - 1, 86_400, -86_400] {
        let bench = trial.rig.bench(scenario).await?;
        let delivery = Delivery { received_at: signed.received_at.plus_seconds(age), ..signed.clone() };
        let answer = one(&bench, delivery).await?;
        let within = age.abs() <= tolerance;
        let right = match &answer {
            Err(Refusal::Signature(SignatureError::Stale { .. })) => age > tolerance,
            Err(Refusal::Signature(SignatureError::Future { .. })) => age < -tolerance,
            answer => within && is_accepted(answer),
        };
        ensure(right, || {
            format!("signed {age} s before it was received, with a tolerance of {tolerance} s, it is {}", told(&answer))
        })?;
        ensure(within || bench.events().await?.is_empty(), || "a refused delivery is stored".to_owned())?;
        checks += 1;
    }
    Ok(Held { checks })
}

pub(crate) async fn rotation(trial: &Trial) -> Verdict {
    let scenario = &trial.scenario;
    let Some(recorded) = scenario.deliveries.first() else { return Err(Broken::new("the scenario has no delivery")) };
    let (a, b, c) = (scenario.secret.as_str(), OTHER, "yet_another_secret_of_the_kit");
    let cases: &[(&[&str], &[&str], bool)] = &[
        (&[a], &[a], true),
        (&[a, b], &[a], true),
        (&[b, a], &[a], true),
        (&[a, b, c], &[b], true),
        (&[a], &[a, b], true),
        (&[a], &[b, a], true),
        (&[a], &[b, a, c], true),
        (&[a, b], &[c, b], true),
        (&[b], &[a], false),
        (&[b, c], &[a], false),
        (&[c], &[a, b], false),
    ];
    for (endpoint, signers, accepted) in cases {
        let headers = (trial.rig.provider.sign)(signers, &recorded.body, scenario.as_of).headers();
        let delivery = Delivery { headers, ..trial.rig.sign_body(scenario, recorded.body.clone())? };
        let setup = Setup { secrets: endpoint.to_vec(), ..Setup::of(scenario) };
        let answer = one(&trial.rig.bench_of(setup).await?, delivery).await?;
        let right = if *accepted { is_accepted(&answer) } else { is_refused(&answer) };
        ensure(right, || {
            let letters = |secrets: &[&str]| {
                let letter = |secret: &&str| {
                    if *secret == a {
                        'A'
                    } else if *secret == b {
                        'B'
                    } else {
                        'C'
                    }
                };
                secrets.iter().map(letter).collect::<String>()
            };
            format!("endpoint with secrets {}, signed with {}: {}", letters(endpoint), letters(signers), told(&answer))
        })?;
    }
    Ok(Held { checks: cases.len() as u64 })
}

/// Sends forgeries, which must all be refused and leave nothing behind. Then sends genuine deliveries to the same
/// endpoint.
async fn judge(
    trial: &Trial,
    index: usize,
    forgeries: Vec<(String, Delivery)>,
    genuine: Vec<Delivery>,
) -> Result<u64, Broken> {
    let bench = trial.rig.bench(&trial.scenario).await?;
    let number = trial.scenario.deliveries[index].number;
    let mut checks = 0;
    for (what, forgery) in forgeries {
        let answer = one(&bench, forgery).await?;
        ensure(is_refused(&answer), || format!("delivery {number}, {what}: {}", told(&answer)))?;
        checks += 1;
    }
    let kept = bench.events().await?.len();
    ensure(kept == 0, || format!("delivery {number}: the forgeries were refused, but {kept} events are stored"))?;
    for delivery in genuine {
        let bench = trial.rig.bench(&trial.scenario).await?;
        let answer = one(&bench, delivery).await?;
        ensure(is_accepted(&answer), || format!("delivery {number}, genuine: {}", told(&answer)))?;
        checks += 1;
    }
    Ok(checks)
}

pub(crate) async fn one(bench: &Bench, delivery: Delivery) -> Result<Answer, Broken> {
    match bench.receiver.receive(vec![delivery]).await?.pop() {
        Some(answer) => Ok(answer),
        None => Err(Broken::new("one delivery was sent, but there is no answer")),
    }
}

pub(crate) fn is_refused(answer: &Answer) -> bool {
    matches!(answer, Err(refusal @ Refusal::Signature(_)) if (400..500).contains(&refusal.http_status()))
}

/// Whether the delivery was accepted as genuine. It may still be unreadable.
pub(crate) fn is_accepted(answer: &Answer) -> bool {
    matches!(answer, Ok(_) | Err(Refusal::Unreadable { .. }))
}

pub(crate) fn told(answer: &Answer) -> String {
    match answer {
        Ok(_) => "accepted".to_owned(),
        Err(refusal) => format!("refused ({})", refusal.code()),
    }
}
