//! Serves the review desk with a few made-up cases from a throwaway workspace, for whoever works on the pages:
//! `cargo run --release -p review --example desk`, then open the address it prints.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use std::net::SocketAddr;

use case::{Actor, Role, Timestamp};
use fixture::{PASSWORD, Workspace, contract, electronic_invoice, paper_invoice};

#[tokio::main]
async fn main() {
    let workspace = Workspace::new().await;
    let system = Actor::system("intake");
    workspace.person("Rita Reviewer", &[Role::Reviewer], 2).await;
    workspace.person("Lena Legal", &[Role::Legal], 2).await;
    workspace.person("Anton Auditor", &[Role::Auditor], 1).await;
    workspace.person("Ada Admin", &[Role::Admin], 1).await;
    let now = workspace.now;
    let (past, soon) = (Timestamp(now.0 - 7_200_000_000), now.plus_hours(20));
    workspace.held(paper_invoice("RE-471102", "Kerner Antriebe GmbH", past), &system).await;
    workspace.held(paper_invoice("RE-471118", "Kerner Antriebe GmbH", soon), &system).await;
    workspace.held(electronic_invoice("2026-0815", soon), &system).await;
    workspace.held(contract("Master Services Agreement", soon), &system).await;
    workspace.unreadable(b"%PDF hostile", "scan_0003.pdf").await;
    workspace.store.seal_log(now).await.unwrap();
    workspace.store.sign_log(now).await.unwrap();

    let desk = review::Desk {
        store: workspace.store.clone(),
        title: "Countersign".to_owned(),
        base_url: None,
        quorum: Default::default(),
    };
    let door = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!(
        "http://{}/  e.g. `Rita Reviewer`, `Lena Legal`, `Anton Auditor`, `Ada Admin`; password `{PASSWORD}`",
        door.local_addr().unwrap()
    );
    let pages = review::router(desk).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(door, pages).await.unwrap();
}
