// Package crash holds the tests of what must stay true when many clients ask at
// once and when the program is killed: no authorisation and no credit limit is
// exceeded, a repeated request happens once, and nothing that was acknowledged
// or committed is lost or done twice.
//
// The tests run the whole program: in the test process where nothing is killed,
// and otherwise as processes of their own, which are the test binary started
// again. TRADECREDIT_SOAK=n makes the runs n times as long, and
// TRADECREDIT_SEED repeats one.
package crash
