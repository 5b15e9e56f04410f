use std::time::Duration;

use redis::Script;

use super::testing::{eventually, two};
use super::*;
use crate::accounts::UserId;

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn without_redis_nothing_is_kept_and_nothing_waits() {
    let shared = Shared::off();
    assert!(!shared.is_on() && !shared.is_away());
    assert!(!shared.put("test", "a", b"1", LONG).await);
    assert_eq!(shared.get("test", ["a"]).await, None);
    assert!(!shared.tell(Event::Catalog).await);
    shared.settle().await;
    shared.keep().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_away() {
    let settings = Settings { address: "redis://:hush@127.0.0.1:1", prefix: "", deadline: LONG };
    let metrics = Arc::new(Metrics::with(true));
    let shared = Shared::new(settings, Arc::clone(&metrics)).unwrap();
    let keeping = tokio::spawn(shared.clone().keep());
    assert!(shared.is_away());
    assert_eq!(shared.get("test", ["a"]).await, None);
    assert!(metrics.to_text().contains("segue_origin_redis_up 0"));
    assert!(!format!("{shared:?}").contains("hush"));
    keeping.abort();
}

#[tokio::test]
async fn values_are_shared_and_expire() {
    let Some([one, other]) = two().await else { return };
    assert!(one.put("test", "a", b"\0\xff", LONG).await);
    assert!(one.put("test", "soon", b"1", Duration::from_millis(1)).await);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let read = other.get("test", ["a", "b", "soon"]).await.unwrap();
    assert_eq!(read, [Some(b"\0\xff".to_vec()), None, None]);
    other.remove("test", "a").await;
    assert_eq!(one.get("test", ["a"]).await, Some([None]));
    let script = Script::new("return {KEYS[1], ARGV[1]}");
    let (name, argument): (String, u64) = one.run("test", &script, ["k"], &[7]).await.unwrap();
    assert!(name.ends_with(":k") && argument == 7, "{name}");
}

#[tokio::test]
async fn what_one_tells_all_hear_and_no_one_else() {
    let Some([one, other]) = two().await else { return };
    let Some([stranger, _]) = two().await else { return };
    let (mut here, mut there, mut elsewhere) = (one.events(), other.events(), stranger.events());
    let event = Event::Account(UserId::from([5; 16]));
    assert!(one.tell(event).await && one.tell(Event::Catalog).await);
    assert_eq!([here.next().await, here.next().await], [event, Event::Catalog]);
    assert_eq!([there.next().await, there.next().await], [event, Event::Catalog]);
    assert!(stranger.tell(Event::Missed).await);
    assert_eq!(elsewhere.next().await, Event::Missed);
}

#[tokio::test]
async fn refused_calls_cut_the_link_and_it_comes_back() {
    let Some([one, _]) = two().await else { return };
    let mut events = one.events();
    let wrong = Script::new("return redis.call('NONSENSE')");
    for _ in 0..3 {
        assert_eq!(one.run::<i64, 0>("test", &wrong, [], &[]).await, None);
    }
    assert_eq!(events.next().await, Event::Missed, "when it is back");
    eventually(|| !one.is_away()).await;
    assert!(one.put("test", "a", b"1", LONG).await);
}
