//! For machines that watch the service: nothing personal, and nobody needs to sign in.

use std::sync::atomic::AtomicU64;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use case::{State as CaseState, Timestamp};
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use store::{Outside, Quorum};

use crate::page::Trouble;
use crate::{App, Shared, now};

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

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfWitness {
    witness: String,
}

/// Without a quorum of witnesses for longer than this, there is a warning.
const UNWITNESSED_HOURS_MAX: i64 = 24;

pub(crate) async fn healthz(State(app): State<Shared>) -> Response {
    match health(&app).await {
        Ok(health) => Json(health).into_response(),
        Err(err) => {
            tracing::error!("not healthy: {err}");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "unavailable" }))).into_response()
        }
    }
}

/// A warning is for a person, and no reason to start the service again.
async fn health(app: &App) -> Result<Value, store::Error> {
    let now = now();
    let unsealed_seconds = app.store.unsealed_age(now).await? / 1_000_000;
    let outside = app.store.outside(&app.quorum).await?;
    let mut warnings = Vec::new();
    if let Some(why) = &outside.stopped {
        warnings.push(format!("nothing may be entered in the log, so nothing is done: {why}"));
    }
    let hours = outside.unwitnessed_micros(now).unwrap_or(0) / 3_600_000_000;
    if app.quorum.needed != 0 && UNWITNESSED_HOURS_MAX <= hours {
        let (needed, n) = (app.quorum.needed, app.quorum.witnesses.len());
        warnings.push(format!(
            "for {hours} hours no head of the log was cosigned by {needed} of its {n} witnesses, at most {UNWITNESSED_HOURS_MAX} should pass; see the log of operations for which do not answer"
        ));
    }
    let database = app.store.database();
    Ok(json!({
        "status": "ok", "database": database, "audit_unsealed_age_seconds": unsealed_seconds, "warnings": warnings,
    }))
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

    register_outside(&mut registry, &app.quorum, &app.store.outside(&app.quorum).await?, now);

    let mut text = String::new();
    encode(&mut text, &registry).map_err(|_| Trouble::Broken)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// What others vouch for; nothing about witnesses where there are none.
fn register_outside(registry: &mut Registry, quorum: &Quorum, outside: &Outside, now: Timestamp) {
    if quorum.needed != 0 {
        let size = outside.witnessed.map_or(0, |anchor| anchor.size);
        let help = "Entries of the longest audit log head that enough witnesses cosigned";
        registry.register("audit_witnessed_size", help, ConstGauge::new(size));
        if let Some(micros) = outside.unwitnessed_micros(now) {
            let help = "How long ago enough witnesses cosigned a head, or the first head was signed when none ever did";
            registry.register("audit_witnessed_age_seconds", help, ConstGauge::new(micros as f64 / 1e6));
        }
        let last = Family::<OfWitness, Gauge<f64, AtomicU64>>::default();
        for (witness, anchor) in &outside.witnesses {
            let seconds = anchor.map_or(0.0, |anchor| anchor.at.0 as f64 / 1e6);
            last.get_or_create(&OfWitness { witness: witness.clone() }).set(seconds);
        }
        let help = "When a witness cosigned last, in seconds since 1970; 0 for never";
        registry.register("audit_witness_last_success_timestamp_seconds", help, last);
    }
    if let Some(stamped) = outside.stamped {
        let help = "Entries of the longest audit log head with a time stamp";
        registry.register("audit_timestamped_size", help, ConstGauge::new(stamped.size));
        let help = "When a head was stamped last, in seconds since 1970";
        registry.register(
            "audit_timestamp_last_success_timestamp_seconds",
            help,
            ConstGauge::new(stamped.at.0 as f64 / 1e6),
        );
    }
}
