//! Tests of what goes on beside what.

use proptest::prelude::*;

use super::*;

fn request(after: &[usize], staged_bytes: u64) -> Request {
    Request { after: after.to_vec(), staged_bytes, ..Request::default() }
}

/// Takes whatever may run now.
fn take_all(board: &Board<'_>) -> Vec<usize> {
    let mut taken = Vec::new();
    loop {
        let state = board.state.lock().unwrap();
        let may_run = state.waiting.iter().any(|position| board.may_begin(*position, &state));
        drop(state);
        if !may_run {
            return taken;
        }
        taken.extend(board.take());
    }
}

/// A turn that nobody counts.
fn turn<'a>(board: &'a Board<'a>, position: usize) -> Turn<'a> {
    Turn { board, position, count: &|_| {}, waits_for: &|_| {} }
}

/// Sends all but the end of a request.
fn stage(board: &Board<'_>, position: usize) {
    turn(board, position).wait_for_room(board.requests[position].staged_bytes).unwrap();
    assert!(turn(board, position).hold());
}

/// Those whose end may be sent now.
fn may_end(board: &Board<'_>) -> Vec<usize> {
    let state = board.lock();
    let mut may: Vec<usize> =
        state.held.iter().copied().filter(|position| board.may_work(*position, &state)).collect();
    may.sort_unstable();
    may
}

#[test]
fn a_request_is_staged_while_its_base_is_unpacked_and_ends_after_it() {
    let requests = [request(&[], 10), request(&[0], 40), request(&[0], 40)];
    let board = Board::new(&requests, 100);
    assert_eq!(take_all(&board), [0], "one at a time");
    stage(&board, 0);
    assert_eq!(take_all(&board), [1]);
    stage(&board, 1);
    assert_eq!(take_all(&board), [2]);
    stage(&board, 2);
    assert_eq!(may_end(&board), [0]);
    assert_eq!(board.lock().working().count(), 0);
    board.put(0, Ok(()));
    assert_eq!(may_end(&board), [1, 2]);
}

#[test]
fn what_takes_most_of_the_room_goes_on_as_room_is_made() {
    let requests = [request(&[], 10), request(&[0], 100), request(&[0], 40)];
    let board = Board::new(&requests, 100);
    assert_eq!(board.order(), [0, 2, 1]);
    let has_room = |bytes| board.has_room(1, bytes, &board.lock());
    assert_eq!(board.take(), Some(0));
    stage(&board, 0);
    assert_eq!(board.take(), Some(2));
    stage(&board, 2);
    assert_eq!(board.take(), Some(1));
    assert!(has_room(50) && !has_room(51));
    turn(&board, 1).wait_for_room(50).unwrap();
    board.put(0, Ok(()));
    assert!(has_room(10) && !has_room(11));
    board.put(2, Ok(()));
    assert!(has_room(50) && has_room(500), "alone, it may be larger than the limit");
}

#[test]
fn what_waits_for_room_or_for_others_ends_when_something_fails() {
    let requests = [request(&[], 60), request(&[0], 60)];
    let board = Board::new(&requests, 100);
    assert_eq!(board.take(), Some(0));
    stage(&board, 0);
    assert_eq!(board.take(), Some(1));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| turn(&board, 1).wait_for_room(60));
        board.put(0, Err(Failure::midway(text::internal("full"))));
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    });
    assert!(turn(&board, 1).wait_for_others().is_err());
}

#[test]
fn what_waits_ends_when_the_engine_has_said_no_to_it() {
    let requests = [request(&[], 60), request(&[0], 60)];
    let board = Board::new(&requests, 100);
    assert_eq!(board.take(), Some(0));
    stage(&board, 0);
    assert_eq!(board.take(), Some(1));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| turn(&board, 1).wait_for_room(60));
        turn(&board, 1).set_answered();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    });
    assert!(turn(&board, 0).wait_for_others().is_ok(), "the other one goes on");
}

#[test]
fn who_waits_says_for_what_the_engine_works_on() {
    let requests = [request(&[], 60), request(&[0], 60)];
    let board = Board::new(&requests, 100);
    assert_eq!(board.take(), Some(0));
    turn(&board, 0).wait_for_others().unwrap();
    assert_eq!(board.take(), Some(1));
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let board = &board;
        scope.spawn(move || {
            let tell = |working| told.send(working).unwrap();
            Turn { waits_for: &tell, ..turn(board, 1) }.wait_for_others().unwrap();
        });
        assert_eq!(heard.recv().unwrap(), 0);
        board.put(0, Ok(()));
    });
}

/// Those that decompress fit into the limit together, or there is only one.
fn assert_windows_fit(board: &Board<'_>) {
    let state = board.lock();
    let windows = state.windowed.iter().map(|running| board.requests[*running].memory_bytes);
    let windows: Vec<u64> = windows.filter(|bytes| *bytes > 0).collect();
    assert!(windows.iter().sum::<u64>() <= WINDOWS || windows.len() == 1);
}

proptest! {
    /// Whatever depends on whatever, and however large it is: with as many threads as the board asks for, all is done, in an
    /// order that heeds what comes before, and within the limits.
    #[test]
    fn everything_is_done_within_the_limits(
        shapes in proptest::collection::vec((0_u64..60, 0_u64..160, proptest::collection::vec(any::<proptest::sample::Index>(), 0..3)), 1..14)
    ) {
        let requests: Vec<Request> = shapes
            .iter()
            .enumerate()
            .map(|(position, (staged, window, after))| Request {
                staged_bytes: *staged,
                memory_bytes: window << 20,
                after: if position == 0 { vec![] } else { after.iter().map(|index| index.index(position)).collect() },
                ..Request::default()
            })
            .collect();
        let board = Board::new(&requests, 50);
        let done = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..board.workers() {
                scope.spawn(|| {
                    while let Some(position) = board.take() {
                        let turn = turn(&board, position);
                        // A panic ends the others too.
                        let mut ending = Ending { board: &board, position, outcome: None };
                        if requests[position].staged_bytes == 0 {
                            turn.wait_for_window().unwrap();
                        }
                        assert!(board.lock().windowed.contains(&position) || requests[position].memory_bytes == 0);
                        assert_windows_fit(&board);
                        let sent = (0..requests[position].staged_bytes).try_for_each(|_| turn.wait_for_room(1));
                        let staged: Vec<u64> =
                            board.lock().staged.values().copied().filter(|bytes| *bytes > 0).collect();
                        assert!(staged.iter().sum::<u64>() <= 50 || staged.len() == 1);
                        sent.and_then(|()| turn.wait_for_others()).unwrap();
                        {
                            let state = board.lock();
                            assert!(state.working().count() <= PARALLEL);
                            assert!(requests[position].after.iter().all(|before| state.done.contains(before)));
                        }
                        done.lock().unwrap().push(position);
                        ending.outcome = Some(Ok(()));
                    }
                });
            }
        });
        prop_assert_eq!(done.into_inner().unwrap().len(), requests.len());
    }
}

/// The next layer could not even be got ready while containerd counted the files of the one before, which took a tenth of all time.
#[test]
fn a_layer_is_got_ready_beside_another_one_and_unpacked_after_it() {
    let window = |memory_bytes| Request { memory_bytes, ..Request::default() };
    let requests =
        [window(WINDOWS - 8), window(WINDOWS), window(8), Request { after: vec![0], ..Request::default() }];
    let board = Board::new(&requests, 0);
    assert_eq!(take_all(&board), [0, 1, 2], "what depends on the first one waits until it is done");
    turn(&board, 0).wait_for_window().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| turn(&board, 1).wait_for_window().unwrap());
        while board.lock().queue.is_empty() {
            std::thread::yield_now();
        }
        // It came later, and fits in beside the first.
        turn(&board, 2).wait_for_window().unwrap();
        assert!(!board.lock().windowed.contains(&1));
        turn(&board, 2).set_unpacked();
        turn(&board, 0).set_unpacked();
    });
    assert!(board.lock().windowed.contains(&1));
    board.put(0, Ok(()));
    assert_eq!(take_all(&board), [3]);
}

#[test]
fn what_waits_for_a_window_ends_when_something_fails() {
    let window = |memory_bytes| Request { memory_bytes, ..Request::default() };
    let requests = [window(WINDOWS), window(WINDOWS)];
    let board = Board::new(&requests, 0);
    assert_eq!(take_all(&board), [0, 1]);
    turn(&board, 0).wait_for_window().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| turn(&board, 1).wait_for_window());
        board.put(0, Err(Failure::midway(text::internal("damaged"))));
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    });
}

#[test]
fn after_a_failure_nothing_is_begun_and_the_first_failure_is_told() {
    let requests = [request(&[], 0), request(&[], 0), request(&[], 0)];
    let board = Board::new(&requests, 0);
    assert_eq!([board.take(), board.take()], [Some(0), Some(1)]);
    board.put(1, Err(Failure::midway(text::internal("first"))));
    board.put(0, Err(Failure::midway(text::internal("second"))));
    assert_eq!(board.take(), None);
    assert!(board.outcome().unwrap_err().what.en.contains("first"));
}
