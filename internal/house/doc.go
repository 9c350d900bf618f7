// Package house keeps the house in order. It holds tests only: they read the
// source of the whole program and fail when it leaves the plan. What they watch:
//
//	floors_test.go      imports go down the floors, never up or across
//	statements_test.go  every SQL statement is a constant, used, and a table has one writer
//	plans_test.go       every statement finds its rows by an index, on both engines
//	calls_test.go       what only certain places may call: the clock, panic, the environment
//	shape_test.go       the length of functions and files, comments, names
//	modules_test.go     versions that must go together
//
// Exceptions stand in tables beside the checks, each with its reason. A reason
// that no longer applies fails the test as well.
package house
