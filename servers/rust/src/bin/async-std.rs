//! async-std.rs: a task per connection on async-std: the standard library's interface, with await.
//!
//! How it waits: on the same executor and the same async-io as smol.rs, behind functions like those
//! of std: a socket offers read() but not readiness, so each wait begins with receives in vain.
//! Its --workers N threads run tasks; the main thread polls epoll beside them.
//!
//! Cost: 224 bytes of ours a connection within a task. send and recv a request; where the client is
//! not quicker, two receives in vain and an epoll_ctl, too: five system calls (ledger, 64 busy).
//!
//! Notice: poll_fn() hands the thread's scratch buffer to poll_read(); read().await would need a
//! buffer for every waiting task. While one request computes, its thread is lost to the others.
//!
//! Left out: spawn_blocking() for /compute. The library is no longer developed; its users are told
//! to go to smol. See docs.rs/async-std.
use std::env;
use std::pin::Pin;
use std::time::Duration;

use async_std::io::{Read, Write};
use async_std::net::{TcpListener, TcpStream};
use async_std::task::{self, sleep, spawn_blocking};
use c10k::{poll_fn, yield_now, Client, Clients, Model, Server, Want};

/// One connection, in the order in which it wants things; each await is a place to leave the
/// thread.
async fn converse(mut client: Client<TcpStream>, clients: &'static Clients) {
    loop {
        client.share().await;
        match client.wants() {
            Want::Recv => {
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
                sleep(client.conn.pause()).await;
                client.conn.woke();
            }
            Want::Compute => client.conn.compute(),
            Want::File => {
                client.conn = spawn_blocking(client.conn.start_reading()).await.finish();
            }
            Want::Query => client.conn = clients.link.ask(client.conn).await,
            Want::Shutdown => client.shut(),
            Want::Close => return,
        }
    }
}

/// Everybody's questions to the database.
async fn carry(clients: &'static Clients) {
    loop {
        let stream = TcpStream::from(clients.link.opened().await);
        poll_fn(|cx| {
            clients.link.turn(
                cx,
                |cx, bytes| Pin::new(&mut &stream).poll_write(cx, bytes),
                |cx, bytes| Pin::new(&mut &stream).poll_read(cx, bytes),
            )
        })
        .await;
        clients.link.lost();
    }
}

async fn look_after(clients: &'static Clients) {
    loop {
        sleep(Duration::from_secs(1)).await;
        clients.sweep();
    }
}

async fn live(server: Server) {
    let clients = server.clients;
    let listener = TcpListener::from(server.listener);
    task::spawn(look_after(clients));
    task::spawn(carry(clients));
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                task::spawn(converse(clients.add(stream), clients));
            }
            Err(error) => match clients.accept_failed(&error) {
                Some(pause) => sleep(pause).await,
                None => break,
            },
        }
        yield_now().await; // with many at the door, those inside have their turn
    }
    clients.drain().await;
}

fn serve(server: Server) {
    env::set_var("ASYNC_STD_THREAD_COUNT", server.thread_count.to_string());
    task::block_on(task::spawn(live(server)));
}

fn main() {
    c10k::run(Model {
        name: "async-std",
        api: "async-std: task::spawn, TcpStream, spawn_blocking",
        summary: "a task per connection on the library's own threads; async-io polls for all",
        single_worker: false,
        serve,
    });
}
