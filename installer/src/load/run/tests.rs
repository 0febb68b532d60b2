//! Tests of the order in which requests run.

use super::*;

fn request(after: &[usize], staged_bytes: u64) -> Request {
    Request { after: after.to_vec(), staged_bytes, ..Request::default() }
}

/// Takes whatever may run now.
fn take_all(board: &Board<'_>) -> Vec<usize> {
    let mut taken = Vec::new();
    loop {
        let state = board.state.lock().unwrap();
        let may_run = state.waiting.iter().any(|position| board.may_run(*position, &state));
        drop(state);
        if !may_run {
            return taken;
        }
        taken.extend(board.take());
    }
}

#[test]
fn a_request_waits_for_its_base_and_for_room() {
    let requests =
        [request(&[], 10), request(&[0], 10), request(&[0], 10), request(&[], 95), request(&[], 500)];
    let board = Board::new(&requests, 100);
    assert_eq!(take_all(&board), [0], "95 and 500 do not fit beside it");
    board.put(0, Ok(()));
    assert_eq!(take_all(&board), [1, 2]);
    board.put(1, Ok(()));
    board.put(2, Ok(()));
    assert_eq!(take_all(&board), [3]);
    board.put(3, Ok(()));
    assert_eq!(take_all(&board), [4], "what is larger than the limit runs alone");
    board.put(4, Ok(()));
    assert!(board.outcome().is_ok());
}

#[test]
fn a_layer_that_is_unpacked_lets_the_next_one_begin() {
    let window = |memory_bytes| Request { memory_bytes, ..Request::default() };
    let requests = [window(WINDOWS), window(WINDOWS), Request { after: vec![0], ..Request::default() }];
    let board = Board::new(&requests, 0);
    assert_eq!(take_all(&board), [0]);
    Turn { board: &board, position: 0, count: &|_| {} }.is_unpacked();
    assert_eq!(take_all(&board), [1], "what depends on the first one waits until it is done");
    board.put(0, Ok(()));
    assert_eq!(take_all(&board), [2]);
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
