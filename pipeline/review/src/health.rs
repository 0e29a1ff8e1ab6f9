//! For machines that watch the service: nothing personal, and nobody needs to sign in.

use std::sync::atomic::AtomicU64;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use case::State as CaseState;
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use serde_json::json;

use crate::page::Trouble;
use crate::{Shared, now};

/// Requests answered since the start.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    answered: Family<Answered, Counter<u64, AtomicU64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    /// The pattern, never the address: an address names cases.
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    state: &'static str,
}

impl Meters {
    pub(crate) fn answered(&self, route: String, status: StatusCode) {
        self.answered.get_or_create(&Answered { route, status: status.as_u16() }).inc();
    }
}

pub(crate) async fn healthz(State(app): State<Shared>) -> Response {
    match app.store.unsealed_age(now()).await {
        Ok(micros) => {
            let age_seconds = micros / 1_000_000;
            Json(json!({ "status": "ok", "database": app.store.database(), "audit_unsealed_age_seconds": age_seconds }))
                .into_response()
        }
        Err(err) => {
            tracing::error!("not healthy: {err}");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "unavailable" }))).into_response()
        }
    }
}

pub(crate) async fn metrics(State(app): State<Shared>) -> Result<Response, Trouble> {
    let now = now();
    let counts = app.store.counts(now).await?;
    let unsealed_age_micros = app.store.unsealed_age(now).await?;

    let mut registry = Registry::with_prefix("countersign");
    let build = vec![("version", env!("CARGO_PKG_VERSION")), ("database", app.store.database())];
    registry.register("build", "This program", Info::new(build));
    registry.register("http_requests", "Requests answered", app.meters.answered.clone());
    let cases = Family::<InState, Gauge>::default();
    for state in CaseState::ALL {
        let n = i64::try_from(counts.of(state)).unwrap_or(i64::MAX);
        cases.get_or_create(&InState { state: state.name() }).set(n);
    }
    registry.register("cases", "Cases by the state they rest in", cases);
    registry.register("work_waiting", "Pieces of work that a machine is still to do", ConstGauge::new(counts.work));
    registry.register("cases_overdue", "Cases in review past their due time", ConstGauge::new(counts.overdue));
    registry.register("arrivals", "Files that came in", ConstCounter::new(counts.arrivals));
    registry.register("duplicates", "Files that were here already", ConstCounter::new(counts.duplicates));
    let age_seconds = ConstGauge::new(unsealed_age_micros as f64 / 1e6);
    registry.register("audit_unsealed_age_seconds", "How long the oldest audit entry waits to be sealed", age_seconds);

    let mut text = String::new();
    encode(&mut text, &registry).map_err(|_| Trouble::Broken)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
