//! Reads a query, and cuts lists into pages: by id, newest first unless asked otherwise, with the filters that Paddle's
//! OpenAPI document has.

use std::cmp::Ordering::{self, Equal, Greater, Less};

use purchase_emulator::{Call, Reply};
use serde_json::{Value, json};

use crate::{fault::Fault, times};

/// How long events and notifications are kept, in microseconds. Documented: 90 days.
pub(crate) const KEPT_MICROS: i64 = 90 * 86_400 * 1_000_000;

/// A query whose parameters are each read at most once.
pub(crate) struct Query {
    left: Vec<(String, String)>,
    wrong: Vec<(String, String)>,
}

impl Query {
    pub(crate) fn of(call: &Call<'_>) -> Self {
        Self { left: call.query.clone(), wrong: Vec::new() }
    }

    /// A parameter's value.
    pub(crate) fn read(&mut self, name: &str) -> Option<String> {
        let place = self.left.iter().position(|(key, _)| key == name)?;
        Some(self.left.remove(place).1)
    }

    /// A parameter with values between commas.
    pub(crate) fn list(&mut self, name: &str) -> Option<Vec<String>> {
        self.read(name).map(|text| text.split(',').map(str::to_owned).collect())
    }

    /// A parameter that is a time.
    pub(crate) fn time(&mut self, name: &str) -> Option<i64> {
        let text = self.read(name)?;
        // The document's own examples leave out the zone.
        let time = times::parse(&text).or_else(|| times::parse(&format!("{text}Z")));
        if time.is_none() {
            self.refuse(name, "must be an RFC 3339 datetime string");
        }
        time
    }

    fn refuse(&mut self, name: &str, why: &str) {
        self.wrong.push((name.to_owned(), why.to_owned()));
    }

    /// Refuses the call when a parameter was wrong or is left over. `missing` are parameters that the provider has and
    /// the emulator doesn't.
    pub(crate) fn finish(mut self, missing: &[&str]) -> Result<(), Fault> {
        let unknown = self.left.iter().filter(|(name, _)| !missing.contains(&name.as_str()));
        self.wrong.extend(unknown.map(|(name, _)| (name.clone(), "query parameter is not allowed".to_owned())));
        match (self.wrong.is_empty(), self.left.first()) {
            (false, _) => Err(Fault::fields(self.wrong)),
            (true, Some((name, _))) => Err(Fault::not_emulated(format!("the parameter {name}"))),
            (true, None) => Ok(()),
        }
    }
}

/// A filter of a list.
pub(crate) enum Filter {
    /// The text at this JSON pointer is one of those given. `null` stands for no value.
    In(&'static str, &'static str),
    /// The same. When the parameter is left out, only this value is listed.
    Default(&'static str, &'static str, &'static str),
    /// One of the texts at this pointer inside the elements of the array at the first one.
    Among(&'static str, &'static str, &'static str),
    /// There is a value at this pointer exactly when the parameter is `true`.
    Present(&'static str, &'static str),
    /// The time at this pointer compares so, with the operators `[LT]`, `[LTE]`, `[GT]` and `[GTE]`.
    Time(&'static str, &'static str),
}

/// What a list has.
pub(crate) struct Listing {
    pub(crate) base_url: String,
    pub(crate) path: String,
    /// How many objects a page has unless asked otherwise, and at most.
    pub(crate) per_page: (usize, usize),
    pub(crate) filters: &'static [Filter],
    /// The parameters that were applied already.
    pub(crate) applied: &'static [&'static str],
    /// The parameters that the provider has and the emulator doesn't.
    pub(crate) missing: &'static [&'static str],
    /// Where an object has its id.
    pub(crate) id: &'static str,
}

type Test = Box<dyn Fn(&Value) -> bool>;

/// Answers with one page of objects.
pub(crate) fn list(call: &Call<'_>, listing: &Listing, objects: Vec<Value>) -> Result<Reply, Fault> {
    let mut query = Query::of(call);
    let order = query.read("order_by").unwrap_or_else(|| "id[DESC]".to_owned());
    let ascending = match order.as_str() {
        "id[ASC]" => true,
        "id[DESC]" => false,
        _ => {
            query.refuse("order_by", "must be id[ASC] or id[DESC]");
            false
        }
    };
    let (default, max) = listing.per_page;
    let per_page = match query.read("per_page").map(|text| text.parse::<usize>()) {
        None => default,
        // Documented: Paddle returns the maximum when a greater number is requested.
        Some(Ok(count)) if count > 0 => count.min(max),
        Some(_) => {
            query.refuse("per_page", "must be a positive integer");
            default
        }
    };
    let after = query.read("after").filter(|text| !text.is_empty());
    let tests: Vec<Test> = listing.filters.iter().flat_map(|filter| tests(filter, &mut query)).collect();
    for name in listing.applied {
        query.read(name);
    }
    query.finish(listing.missing)?;

    let id = |object: &Value| object[listing.id].as_str().unwrap_or_default().to_owned();
    let mut found: Vec<Value> = objects.into_iter().filter(|object| tests.iter().all(|test| test(object))).collect();
    found.sort_by_key(id);
    if !ascending {
        found.reverse();
    }
    let total = found.len();
    if let Some(after) = &after {
        found.retain(|object| if ascending { id(object) > *after } else { id(object) < *after });
    }
    let has_more = found.len() > per_page;
    found.truncate(per_page);
    // Recorded: `next` is there even when nothing follows.
    let last = found.last().map(id).or(after).unwrap_or_default();
    let pagination = json!({
        "per_page": per_page, "next": next(listing, call, &last), "has_more": has_more, "estimated_total": total,
    });
    Ok(Reply::json(200, &json!({ "data": found, "meta": { "pagination": pagination } })))
}

/// The address of the next page, with the same filters.
fn next(listing: &Listing, call: &Call<'_>, last: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(call.query.iter().filter(|(name, _)| name != "after"));
    query.append_pair("after", last);
    format!("{}{}?{}", listing.base_url, listing.path, query.finish())
}

fn tests(filter: &Filter, query: &mut Query) -> Vec<Test> {
    let text_at = |object: &Value, at: &str| match object.pointer(at) {
        Some(Value::String(text)) => text.clone(),
        _ => "null".to_owned(),
    };
    match *filter {
        Filter::In(name, at) => {
            let test = |wanted: Vec<String>| -> Test { Box::new(move |it| wanted.contains(&text_at(it, at))) };
            query.list(name).map(test).into_iter().collect()
        }
        Filter::Default(name, at, default) => {
            let wanted = query.list(name).unwrap_or_else(|| vec![default.to_owned()]);
            vec![Box::new(move |it| wanted.contains(&text_at(it, at)))]
        }
        Filter::Among(name, array, at) => {
            let test = |wanted: Vec<String>| -> Test {
                Box::new(move |it| {
                    let elements = it.pointer(array).and_then(Value::as_array);
                    elements.into_iter().flatten().any(|element| wanted.contains(&text_at(element, at)))
                })
            };
            query.list(name).map(test).into_iter().collect()
        }
        Filter::Present(name, at) => match query.read(name).as_deref() {
            None => Vec::new(),
            Some(word @ ("true" | "false")) => {
                let wanted = word == "true";
                vec![Box::new(move |it| it.pointer(at).is_some_and(|value| !value.is_null()) == wanted)]
            }
            Some(_) => {
                query.refuse(name, "must be true or false");
                Vec::new()
            }
        },
        Filter::Time(name, at) => {
            let operators: [(&str, &[Ordering]); 5] = [
                ("", &[Equal]),
                ("[LT]", &[Less]),
                ("[LTE]", &[Less, Equal]),
                ("[GT]", &[Greater]),
                ("[GTE]", &[Greater, Equal]),
            ];
            let given = operators.into_iter().filter_map(|(operator, allowed)| {
                let wanted = query.time(&format!("{name}{operator}"))?;
                let test: Test = Box::new(move |it| {
                    let time = it.pointer(at).and_then(Value::as_str).and_then(times::parse);
                    time.is_some_and(|time| allowed.contains(&time.cmp(&wanted)))
                });
                Some(test)
            });
            given.collect()
        }
    }
}
