//! From one process to the next without a connection that is refused: the new one is given the listening sockets of the old
//! one, and tells it when it serves. Meanwhile connections wait where they always do, in the queues of the same sockets.
//!
//! Both run as the same user and meet at a Unix socket (`handover`) that nobody else may open.

mod wire;

use std::fs::{self, Permissions};
use std::future::pending;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

/// How long a new process may take to get ready: an edge without signing keys would refuse everyone.
pub(crate) const READY_WITHIN: Duration = Duration::from_secs(30);
/// For which the old one keeps nobody else from asking: somewhat longer.
const TURN: Duration = Duration::from_secs(40);
/// How long words and sockets may take that are at hand.
const AT_HAND: Duration = Duration::from_secs(5);
/// Pause after a failure to accept.
const PAUSE: Duration = Duration::from_millis(50);
/// How often a new process asks anew when the old one ends in that moment, or gives way to another.
const ATTEMPTS: u32 = 5;

/// Listening sockets that are open before an edge starts: those for players, and those for admins. Where there is none, one
/// is opened as the settings say.
#[derive(Debug, Default)]
pub struct Listeners {
    /// For players.
    pub public: Vec<TcpListener>,
    /// For health, metrics and purge; one is used.
    pub admin: Vec<TcpListener>,
}

impl Listeners {
    pub(crate) fn is_empty(&self) -> bool {
        self.public.is_empty() && self.admin.is_empty()
    }
}

/// What a new process has from the old one, which goes on serving until [`Claim::take_over`].
#[derive(Debug)]
pub(crate) struct Claim(UnixStream);

/// Asks the process that listens there for its sockets. `None` where there is none.
///
/// # Errors
/// When there is a process that does not give them, or something else in that place.
pub(crate) async fn claim(path: &Path) -> io::Result<Option<(Claim, Listeners)>> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let Some(stream) = connect(path).await? else { return Ok(None) };
        // Another new process may have its turn.
        match timeout(TURN + AT_HAND, ask(stream))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        {
            Ok(claimed) => return Ok(Some(claimed)),
            Err(error) if went_away(&error) && attempts < ATTEMPTS => sleep(PAUSE * attempts).await,
            Err(error) => return Err(error),
        }
    }
}

async fn connect(path: &Path) -> io::Result<Option<UnixStream>> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something that is no socket is there"));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path).await {
        Ok(stream) => Ok(Some(stream)),
        // Left by a process that is no more.
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn ask(mut stream: UnixStream) -> io::Result<(Claim, Listeners)> {
    check_owner(&stream)?;
    stream.write_all(wire::GREETING).await?;
    let listeners = wire::receive(&stream).await?;
    Ok((Claim(stream), listeners))
}

fn went_away(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | BrokenPipe)
}

/// Whoever has the sockets answers for this edge: nobody but the own user may take or give them.
fn check_owner(stream: &UnixStream) -> io::Result<()> {
    match stream.peer_cred()?.uid() == rustix::process::geteuid().as_raw() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::PermissionDenied, "the process there is another user's")),
    }
}

impl Claim {
    /// Tells the old process that this one is ready to serve, and returns when it knows or is gone.
    ///
    /// # Errors
    /// When it does neither: it serves on.
    pub(crate) async fn take_over(self, path: &Path) -> io::Result<()> {
        let mut claim = self;
        for _ in 0..ATTEMPTS {
            let Err(error) = timeout(AT_HAND, claim.tell()).await? else { return Ok(()) };
            if !went_away(&error) {
                return Err(error);
            }
            // It ended, or did not wait so long: then it is asked once more.
            match self::claim(path).await? {
                Some((another, _)) => claim = another,
                None => return Ok(()),
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    async fn tell(&mut self) -> io::Result<()> {
        self.0.write_all(wire::READY).await?;
        let mut said = [0; wire::HEARD.len()];
        self.0.read_exact(&mut said).await?;
        match &said == wire::HEARD {
            true => Ok(()),
            false => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// A place where the next process finds this one, not yet known to anybody.
#[derive(Debug)]
pub(crate) struct Door {
    listener: UnixListener,
    staged: Staged,
    path: PathBuf,
}

/// A file that is gone when it is not needed any more.
#[derive(Debug)]
struct Staged(PathBuf);

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl Door {
    /// Makes it.
    ///
    /// # Errors
    /// When the folder is not there, or cannot be written.
    pub(crate) fn make(path: &Path) -> io::Result<Self> {
        let mut staged = path.as_os_str().to_owned();
        staged.push(format!(".{}", std::process::id()));
        let staged = Staged(staged.into());
        // Of a process of that number that is no more.
        let _ = fs::remove_file(&staged.0);
        let listener = UnixListener::bind(&staged.0)?;
        fs::set_permissions(&staged.0, Permissions::from_mode(0o600))?;
        Ok(Self { listener, staged, path: path.to_owned() })
    }

    /// Puts it in the place of the one before, and offers these sockets there; `taken` becomes `true` when another process
    /// serves in place of this one.
    ///
    /// # Errors
    /// When the place cannot be written.
    pub(crate) fn open(self, listeners: Listeners, taken: watch::Sender<bool>) -> io::Result<Offer> {
        let Self { listener, staged, path } = self;
        fs::rename(&staged.0, &path)?;
        let found = fs::symlink_metadata(&path)?;
        let listeners = Arc::new(Mutex::new(Some(listeners)));
        let is_taken = taken.subscribe();
        let task = tokio::spawn(give(listener, listeners.clone(), taken)).abort_handle();
        Ok(Offer { path, file: (found.dev(), found.ino()), is_taken, listeners, task })
    }
}

/// The sockets of this process, for the next one to ask for.
#[derive(Debug)]
pub(crate) struct Offer {
    path: PathBuf,
    /// Device and number of the socket's file: the next process puts its own in its place.
    file: (u64, u64),
    is_taken: watch::Receiver<bool>,
    listeners: Arc<Mutex<Option<Listeners>>>,
    task: AbortHandle,
}

impl Offer {
    /// Offers nothing any more, and holds no socket open.
    pub(crate) fn withdraw(&self) {
        self.task.abort();
        drop(self.listeners.lock().unwrap_or_else(PoisonError::into_inner).take());
        let is_ours = |found: fs::Metadata| (found.dev(), found.ino()) == self.file;
        // Whoever took over may be putting its own there at this moment.
        if !*self.is_taken.borrow() && fs::symlink_metadata(&self.path).is_ok_and(is_ours) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.withdraw();
    }
}

/// Resolves when another process serves in place of this one; never, if nobody can say so any more.
pub(crate) async fn taken(mut taken: watch::Receiver<bool>) {
    if taken.wait_for(|taken| *taken).await.is_err() {
        pending().await
    }
}

/// Gives the sockets to whoever asks, one after the other, until one of them serves.
async fn give(door: UnixListener, listeners: Arc<Mutex<Option<Listeners>>>, taken: watch::Sender<bool>) {
    loop {
        let Ok((stream, _)) = door.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        match give_to(stream, &listeners).await {
            Ok(()) => {
                taken.send_replace(true);
                return;
            }
            Err(error) => tracing::warn!("a process that asked for the listeners did not take over: {error}"),
        }
    }
}

async fn give_to(mut stream: UnixStream, listeners: &Mutex<Option<Listeners>>) -> io::Result<()> {
    check_owner(&stream)?;
    let mut said = [0; wire::GREETING.len()];
    timeout(AT_HAND, stream.read_exact(&mut said)).await??;
    if &said != wire::GREETING {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it speaks another language"));
    }
    let copies = copies(listeners)?;
    timeout(AT_HAND, wire::send(&stream, &copies)).await??;
    drop(copies);
    tracing::info!("another process has the listeners; this one serves until that one does");
    let mut said = [0; wire::READY.len()];
    timeout(TURN, stream.read_exact(&mut said)).await??;
    if &said != wire::READY {
        return Err(io::ErrorKind::InvalidData.into());
    }
    timeout(AT_HAND, stream.write_all(wire::HEARD)).await?
}

fn copies(listeners: &Mutex<Option<Listeners>>) -> io::Result<Listeners> {
    let listeners = listeners.lock().unwrap_or_else(PoisonError::into_inner);
    let all = listeners.as_ref().ok_or(io::ErrorKind::NotConnected)?;
    all.copies()
}

impl Listeners {
    /// The same sockets once more.
    ///
    /// # Errors
    /// When too many files are open.
    pub(crate) fn copies(&self) -> io::Result<Self> {
        let copy = |all: &[TcpListener]| all.iter().map(TcpListener::try_clone).collect::<io::Result<_>>();
        Ok(Self { public: copy(&self.public)?, admin: copy(&self.admin)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listeners() -> Listeners {
        let listen = || vec![TcpListener::bind("127.0.0.1:0").unwrap()];
        Listeners { public: listen(), admin: listen() }
    }

    fn is_there(path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok()
    }

    #[tokio::test]
    async fn sockets_go_to_the_one_that_serves_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edge.sock");
        assert!(claim(&path).await.unwrap().is_none(), "nobody is there");
        let (told, heard) = watch::channel(false);
        let first = Door::make(&path).unwrap().open(listeners(), told).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (gone, sockets) = claim(&path).await.unwrap().unwrap();
        assert_eq!((sockets.public.len(), sockets.admin.len()), (1, 1));
        drop(gone);
        let (stays, sockets) = claim(&path).await.unwrap().unwrap();
        assert!(!*heard.borrow(), "the one before ended too soon");
        let second = Door::make(&path).unwrap();
        stays.take_over(&path).await.unwrap();
        taken(heard).await;
        let second = second.open(sockets, watch::channel(false).0).unwrap();
        drop(first);
        assert!(is_there(&path), "the first leaves what is not its own");
        assert!(claim(&path).await.unwrap().is_some());
        drop(second);
        assert!(!is_there(&path));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn whoever_was_replaced_leaves_the_place_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edge.sock");
        let (told, heard) = watch::channel(false);
        let first = Door::make(&path).unwrap().open(listeners(), told).unwrap();
        let (stays, _sockets) = claim(&path).await.unwrap().unwrap();
        stays.take_over(&path).await.unwrap();
        taken(heard).await;
        drop(first);
        assert!(is_there(&path), "the next one's may be there at any moment");
    }

    #[tokio::test]
    async fn an_old_process_that_did_not_wait_is_asked_once_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edge.sock");
        let (impatient, late) = UnixStream::pair().unwrap();
        drop(impatient);
        Claim(late).take_over(&path).await.unwrap();
        let (told, heard) = watch::channel(false);
        let _offer = Door::make(&path).unwrap().open(listeners(), told).unwrap();
        let (impatient, late) = UnixStream::pair().unwrap();
        drop(impatient);
        Claim(late).take_over(&path).await.unwrap();
        taken(heard).await;
        let (mut odd, late) = UnixStream::pair().unwrap();
        odd.write_all(b"?").await.unwrap();
        assert!(Claim(late).take_over(&path).await.is_err());
    }

    #[tokio::test]
    async fn what_a_process_left_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edge.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(is_there(&path) && claim(&path).await.unwrap().is_none());
        let offer = Door::make(&path).unwrap().open(listeners(), watch::channel(false).0).unwrap();
        assert!(claim(&path).await.unwrap().is_some());
        drop(offer);
        fs::write(&path, "a file").unwrap();
        assert_eq!(claim(&path).await.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(Door::make(&folder.path().join("no/such/folder.sock")).is_err());
    }

    #[tokio::test]
    async fn whoever_says_something_else_is_given_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edge.sock");
        let (told, heard) = watch::channel(false);
        let _offer = Door::make(&path).unwrap().open(listeners(), told).unwrap();
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert!(wire::receive(&stream).await.is_err());
        assert!(claim(&path).await.unwrap().is_some() && !*heard.borrow());
    }
}
