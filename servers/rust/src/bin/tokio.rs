//! tokio.rs: a task per connection on Tokio's multi-thread scheduler, which steals work.
//!
//! How it waits: the handler reads like a thread's, but each await may leave the thread: the task
//! is put aside until its socket is ready (one epoll for all, edge-triggered, by mio) or its time
//! has come. --workers N threads have a queue of tasks each; one that runs dry steals from the
//! others.
//!
//! Cost: a task of 1,152 bytes a connection, 224 of them ours; the timer it may have to hold,
//! aligned to cache lines, is the largest part. Two system calls a request and a share of one
//! epoll_wait.
//!
//! Notice: a short read tells that a socket is drained, so no receive is tried in vain. A queue
//! holds 256 tasks; what is beyond goes to a queue of all, looked at once in 31 turns: with 1,000
//! busy connections on one worker some wait long. /compute takes block_in_place(): another thread
//! takes the queue over, so the others are served on; /file goes to a pool of up to 512 threads.
//!
//! Left out: tuning (event_interval, global_queue_interval). See docs.rs/tokio, runtime.
use std::pin::Pin;
use std::time::Duration;

use c10k::{poll_fn, Client, Clients, Model, Server, Want};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::{block_in_place, spawn_blocking};
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
            Want::Compute => block_in_place(|| client.conn.compute()),
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
    let runtime = Builder::new_multi_thread()
        .worker_threads(server.thread_count)
        .enable_all()
        .build()
        .expect("threads and an epoll; raise the limits (ulimit -n, -u)");
    // spawned: what block_on() runs itself is on a thread beside the workers
    runtime.block_on(async { tokio::spawn(live(server)).await }).expect("no panic is survived");
}

fn main() {
    c10k::run(Model {
        name: "tokio",
        api: "tokio: multi-thread runtime, poll_read, spawn_blocking",
        summary: "a task per connection; threads with a queue each steal tasks from one another",
        single_worker: false,
        serve,
    });
}
