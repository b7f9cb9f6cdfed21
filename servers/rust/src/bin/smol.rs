//! smol.rs: a task per connection on smol's executor, put together from small crates.
//!
//! How it waits: async-io arms a socket in epoll for one event, each time anew (EPOLLONESHOT); the
//! task is put aside until then. --workers N threads run tasks of one executor, each with a queue
//! of its own, and steal; whichever is idle polls epoll for all.
//!
//! Cost: 224 bytes of ours a connection within a task. To recv and send comes the arming, an
//! epoll_ctl: three system calls a request (ledger, 64 busy) and a share of one epoll_wait.
//!
//! Notice: while one request computes, its thread is lost to the others; with several workers the
//! rest is stolen and goes on, with one nobody is served. /file goes to a pool of up to 500
//! threads. Nothing bounds how long a task stays ready: share() does it here.
//!
//! Left out: unblock() for /compute, which would give it to that pool. See docs.rs/smol, async-io.
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::thread;
use std::time::Duration;

use c10k::{poll_fn, yield_now, Client, Clients, Model, Server, Want};
use smol::io::{AsyncRead, AsyncWrite};
use smol::{unblock, Async, Executor, Timer};

static EXECUTOR: Executor<'static> = Executor::new();

/// One connection, in the order in which it wants things; each await is a place to leave the
/// thread.
async fn converse(mut client: Client<Async<TcpStream>>, clients: &'static Clients) {
    loop {
        client.share().await;
        match client.wants() {
            Want::Recv => {
                // it waits for a new event: without it the receive would be tried in vain first
                let _ = client.stream.readable().await;
                poll_fn(|cx| {
                    client.conn.receive(|bytes| Pin::new(&mut client.stream).poll_read(cx, bytes))
                })
                .await
            }
            Want::Send => {
                poll_fn(|cx| {
                    client.conn.send(|bytes| Pin::new(&mut client.stream).poll_write(cx, bytes))
                })
                .await
            }
            Want::Sleep => {
                Timer::after(client.conn.pause()).await;
                client.conn.woke();
            }
            Want::Compute => client.conn.compute(),
            Want::File => client.conn = unblock(client.conn.start_reading()).await.finish(),
            Want::Query => client.conn = clients.link.ask(client.conn).await,
            Want::Shutdown => client.shut(),
            Want::Close => return,
        }
    }
}

/// Everybody's questions to the database.
async fn carry(clients: &'static Clients) {
    loop {
        let socket = clients.link.opened().await;
        if let Ok(stream) = Async::new(socket) {
            poll_fn(|cx| {
                clients.link.turn(
                    cx,
                    |cx, bytes| Pin::new(&mut &stream).poll_write(cx, bytes),
                    |cx, bytes| Pin::new(&mut &stream).poll_read(cx, bytes),
                )
            })
            .await;
        }
        clients.link.lost();
    }
}

async fn look_after(clients: &'static Clients) {
    loop {
        Timer::after(Duration::from_secs(1)).await;
        clients.sweep();
    }
}

async fn live(listener: TcpListener, clients: &'static Clients) {
    let listener = Async::new(listener).expect("epoll takes the listener");
    EXECUTOR.spawn(look_after(clients)).detach();
    EXECUTOR.spawn(carry(clients)).detach();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => EXECUTOR.spawn(converse(clients.add(stream), clients)).detach(),
            Err(error) => match clients.accept_failed(&error) {
                Some(pause) => drop(Timer::after(pause).await),
                None => break,
            },
        }
        yield_now().await; // with many at the door, those inside have their turn
    }
    clients.drain().await;
}

fn serve(server: Server) {
    for _ in 1..server.thread_count {
        thread::spawn(|| smol::block_on(EXECUTOR.run(smol::future::pending::<()>())));
    }
    smol::block_on(EXECUTOR.run(live(server.listener, server.clients)));
}

fn main() {
    c10k::run(Model {
        name: "smol",
        api: "smol: Executor, Async<TcpStream>, unblock",
        summary: "a task per connection; threads share an executor; an idle one polls for all",
        single_worker: false,
        serve,
    });
}
