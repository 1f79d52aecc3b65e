//! Requests as an emulator reads them, and its answers.

use purchase_core::{
    delivery::Headers,
    transport::{HttpRequest, HttpResponse, Method},
};
use serde_json::Value;

/// A request, with its path cut into segments.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// The method.
    pub method: Method,
    /// The segments of the path, without empty ones, percent-decoded.
    pub path: Vec<String>,
    /// The query's pairs, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: &'a Headers,
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Call<'a> {
    /// Reads a request.
    pub fn of(request: &'a HttpRequest) -> Self {
        let decoded = |text: &str| {
            // A path's plus sign is itself. In a query it is a space.
            let pair = format!("{}=", text.replace('+', "%2B"));
            url::form_urlencoded::parse(pair.as_bytes()).next().map(|(key, _)| key.into_owned()).unwrap_or_default()
        };
        Self {
            method: request.method,
            path: request.path().split('/').filter(|it| !it.is_empty()).map(decoded).collect(),
            query: url::form_urlencoded::parse(request.query().as_bytes()).into_owned().collect(),
            headers: &request.headers,
            body: &request.body,
        }
    }

    /// The segments of the path, for matching.
    pub fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// The first value of a header, if it is text.
    pub fn header<'b>(&'b self, name: &'b str) -> Option<&'b str> {
        self.headers.all(name).next().and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The credentials of the `Authorization` header, if it has this scheme. Schemes compare without case (RFC 9110,
    /// 11.1).
    pub fn credentials<'b>(&'b self, scheme: &'b str) -> Option<&'b str> {
        let (found, credentials) = self.header("authorization")?.split_once(' ')?;
        found.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
    }

    /// How deep the objects and lists of a body in JSON are nested.
    pub fn depth(&self) -> usize {
        let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
        for byte in self.body {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                b'{' | b'[' if !in_text => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        deepest
    }

    /// The path, joined again.
    pub fn route(&self) -> String {
        format!("/{}", self.path.join("/"))
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Additional headers.
    pub headers: Vec<(String, String)>,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// What of the call isn't emulated, when that is the answer.
    pub not_emulated: Option<String>,
    /// Whether an idempotency key keeps this answer. A request that fails validation is not kept.
    pub kept: bool,
}

impl Reply {
    /// An answer in JSON, in one line. An idempotency key keeps it.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string().into_bytes())
    }

    /// A page.
    pub fn html(status: u16, page: String) -> Self {
        Self { kept: false, ..Self::new(status, "text/html; charset=utf-8", page.into_bytes()) }
    }

    /// An answer that sends a browser to another page.
    pub fn redirect(to: &str) -> Self {
        let headers = vec![("Location".to_owned(), to.to_owned())];
        Self { headers, kept: false, ..Self::new(303, "text/plain", Vec::new()) }
    }

    /// An answer with these bytes.
    pub fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, headers: Vec::new(), content_type, body, not_emulated: None, kept: true }
    }

    /// The same answer, which no idempotency key keeps.
    #[must_use]
    pub fn unkept(self) -> Self {
        Self { kept: false, ..self }
    }

    /// The same answer, marked as one that a missing part of the emulator gives. No idempotency key keeps it.
    #[must_use]
    pub fn not_emulated(self, what: impl Into<String>) -> Self {
        Self { not_emulated: Some(what.into()), kept: false, ..self }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn into_response(self) -> HttpResponse {
        let mut headers: Headers = self.headers.iter().map(|(name, value)| (name, value)).collect();
        headers.push("content-type", self.content_type);
        HttpResponse { status: self.status, headers, body: self.body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(body: &str) -> usize {
        let request = HttpRequest { body: body.as_bytes().to_vec(), ..HttpRequest::new(Method::Post, "/") };
        Call::of(&request).depth()
    }

    #[test]
    fn braces_in_texts_nest_nothing() {
        assert_eq!(depth(r#"{"a": [{}, []], "b": 1}"#), 3);
        assert_eq!(depth(r#"{"a": "[[[\"[["}"#), 1);
        assert_eq!(depth("a=b"), 0);
    }

    #[test]
    fn schemes_compare_without_case() {
        let mut request = HttpRequest::new(Method::Get, "/");
        request.headers.push("Authorization", "bEARER key");
        let call = Call::of(&request);
        assert_eq!((call.credentials("bearer"), call.credentials("basic")), (Some("key"), None));
    }
}
