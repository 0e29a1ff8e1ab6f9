//! What stands before every page: who may speak to us, how long, how much, and what a browser may do with the answer.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header, uri::Authority};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::{App, Shared, page};

const BODY_BYTES_MAX: usize = 1 << 20;
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// Nothing but our own style, script and pictures; forms to us alone; shown in no frame.
pub(crate) const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The last layer is the outermost: also what a guard refuses carries the headers and is counted.
pub(crate) fn guard(pages: Router, app: Shared) -> Router {
    let mut origin = CsrfLayer::new();
    if let Some(base) = &app.base_url
        && let (Some(scheme), Some(authority)) = (base.scheme_str(), base.authority())
    {
        // An origin that is no address of the web leaves the layer as strict as it was.
        origin = origin.clone().add_trusted_origin(format!("{scheme}://{authority}")).unwrap_or(origin);
    }
    let fixed = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    pages
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_TIME_MAX))
        .layer(origin.with_rejection_response(|_| foreign()))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(app.clone(), known_host))
        .layer(middleware::from_fn_with_state(app.clone(), page::dress))
        .layer(middleware::from_fn_with_state(app, count))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::X_FRAME_OPTIONS, "DENY"))
        // Not `no-referrer`: with it a browser sends `Origin: null` with our own forms, and those that do not know
        // `Sec-Fetch-Site` could not sign in. Other sites learn nothing either way.
        .layer(fixed(header::REFERRER_POLICY, "same-origin"))
        .layer(fixed(header::CACHE_CONTROL, "no-store"))
        .layer(fixed(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .layer(fixed(HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
}

fn foreign() -> Response<Body> {
    page::Trouble::Foreign.into_response()
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response<Body> {
    tracing::error!("a page panicked");
    page::Trouble::Broken.into_response()
}

/// A page of another site that points its own name at this machine (DNS rebinding) speaks with that name.
async fn known_host(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).and_then(|host| host.parse::<Authority>().ok());
    let target = request.uri().authority();
    let known = hosts.next().is_none()
        && host.is_some_and(|host| app.answers_to(&host))
        && target.is_none_or(|target| app.answers_to(target));
    if known { next.run(request).await } else { page::Trouble::Misdirected.into_response() }
}

impl App {
    fn answers_to(&self, authority: &Authority) -> bool {
        let host = authority.host();
        let own = ["127.0.0.1", "localhost", "[::1]"].contains(&host.to_ascii_lowercase().as_str());
        let configured = self.base_url.as_ref().and_then(|base| base.host());
        let plain = !authority.as_str().contains('@');
        plain && (own || configured.is_some_and(|configured| configured.eq_ignore_ascii_case(host)))
    }
}

async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    app.meters.answered(route, response.status());
    response
}
