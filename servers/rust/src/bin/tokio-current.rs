//! tokio-current.rs: a task per connection on Tokio's current-thread scheduler: one thread for all.
//!
//! How it waits: as tokio.rs does, task by task over one epoll, but all tasks run on one thread:
//! nothing is stolen, and no lock is ever contended.
//!
//! Cost: as tokio.rs: a task of 1,152 bytes a connection, two system calls a request and a share of
//! one epoll_wait.
//!
//! Notice: tasks run in the order in which they became ready, so all get their share. While one
//! request computes, nobody else is served: block_in_place() has no other thread to hand the queue
//! to. /file goes to a pool of up to 512 threads.
//!
//! Left out: tasks that need not be Send (LocalSet); here they could do without. See docs.rs/tokio.
use std::pin::Pin;
use std::time::Duration;

use c10k::{poll_fn, Client, Clients, Model, Server, Want};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// One connection, in the order in which it wants things; each await is a place to leave the
/// thread.
async fn converse(mut client: Client<TcpStream>, clients: &'static Clients) {
    loop {
        match client.wants() {
            Want::Recv => {
                poll_fn(|cx| {
                    client.conn.receive(|bytes| {
                        let mut into = ReadBuf::new(bytes);
                        let came = Pin::new(&mut client.stream).poll_read(cx, &mut into);
                        came.map_ok(|()| into.filled().len())
                    })
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
                let read = spawn_blocking(client.conn.start_reading()).await;
                client.conn = read.expect("a read does not panic").finish();
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
        let socket = clients.link.opened().await;
        if let Ok(mut stream) = TcpStream::from_std(socket) {
            let (mut from, mut to) = stream.split();
            poll_fn(|cx| {
                clients.link.turn(
                    cx,
                    |cx, bytes| Pin::new(&mut to).poll_write(cx, bytes),
                    |cx, bytes| {
                        let mut into = ReadBuf::new(bytes);
                        let came = Pin::new(&mut from).poll_read(cx, &mut into);
                        came.map_ok(|()| into.filled().len())
                    },
                )
            })
            .await;
        }
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
    let listener = TcpListener::from_std(server.listener).expect("epoll takes the listener");
    tokio::spawn(look_after(clients));
    tokio::spawn(carry(clients));
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(converse(clients.add(stream), clients));
            }
            Err(error) => match clients.accept_failed(&error) {
                Some(pause) => sleep(pause).await,
                None => break,
            },
        }
    }
    clients.drain().await;
}

fn serve(server: Server) {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("an epoll; raise the file limit (ulimit -n)");
    runtime.block_on(live(server));
}

fn main() {
    c10k::run(Model {
        name: "tokio-current",
        api: "tokio: current-thread runtime, poll_read, spawn_blocking",
        summary: "a task per connection; one thread runs them all",
        single_worker: true,
        serve,
    });
}
