package deferred

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// walker takes a deferred payment through arbitrary commands and holds it,
// after every step, against what must be true for ever.
type walker struct {
	initial, state State
	events         []Event
}

// step tries one command. It returns what went wrong, or nil.
func (w *walker) step(set Settings, c Command) error {
	before, _ := json.Marshal(w.state)
	e, err := Decide(w.state, set, c)
	if possible := w.possible(set, c); (err == nil) != possible {
		return fmt.Errorf("possible: %v, but: %v", possible, err)
	}
	if err != nil {
		if after, _ := json.Marshal(w.state); string(after) != string(before) || e != (Event{}) {
			return fmt.Errorf("refused, yet it left %s for %s and event %+v", after, before, e)
		}
		return known(err)
	}
	if err := CheckEvent(e); err != nil {
		return err
	}
	if err := w.order(e); err != nil {
		return err
	}
	w.state, w.events = w.state.Apply(e), append(w.events, e)
	if err := w.books(); err != nil {
		return err
	}
	return CheckInvariants(w.state)
}

// possible says, in its own words, whether a command is to be carried out.
// Adjustments are only known to be impossible when their changes do not sum
// to zero; the rest CheckInvariants judges.
func (w *walker) possible(set Settings, c Command) bool {
	s := w.state
	if c.version() != VersionNone && s.Version != VersionNone && c.version() != s.Version {
		return false
	}
	authorised := max(s.Authorisation, 0)
	switch c.Action {
	case ActionCapture:
		if c.Amount > authorised && set.Overcaptures {
			captured := new(big.Int).Sub(big.NewInt(s.OrderTotal), big.NewInt(s.Authorisation))
			return c.Amount-authorised <= mostOver && captured.Add(captured, big.NewInt(c.Amount)).IsInt64()
		}
		return c.Amount > 0 && c.Amount <= authorised
	case ActionVoid:
		return c.Amount > 0 && c.Amount <= authorised
	case ActionRefund, ActionClawback:
		return c.Amount > 0 && c.Amount <= s.ProtectedCaptures+s.UnprotectedCaptures
	case ActionAdjustment:
		after, ok := exactly(s, c.Changes)
		return ok && c.CustomerFee == (FeeChanges{}) && CheckInvariants(after) == nil
	}
	return authorised > 0
}

// exactly applies the changes of an adjustment with big integers; false when
// they do not sum to zero, move nothing, or leave 64 bits.
func exactly(s State, changes Changes) (State, bool) {
	sum, gained, balances := new(big.Int), new(big.Int), s.Balances.values()
	for n, change := range Balances(changes).values() {
		sum.Add(sum, big.NewInt(change))
		gained.Add(gained, big.NewInt(max(change, 0)))
		balance := new(big.Int).Add(big.NewInt(balances[n]), big.NewInt(change))
		if !balance.IsInt64() {
			return s, false
		}
		balances[n] = balance.Int64()
	}
	s.Balances = Balances{balances[0], balances[1], balances[2], balances[3], balances[4], balances[5], balances[6]}
	s.Status = activeStatus(s.Balances, s.Version)
	return s, sum.Sign() == 0 && gained.Sign() > 0 && gained.IsInt64()
}

// order checks which buckets an event drew on first.
func (w *walker) order(e Event) error {
	s, c := w.state, e.Changes
	switch e.Type {
	case EventCapture:
		within := min(e.Amount, max(s.Authorisation, 0))
		if c.Authorisation != -e.Amount || c.ProtectedCaptures != min(within, s.ProtectedAmount-s.ProtectedCaptures) {
			return fmt.Errorf("capture %+v of %+v", e, s)
		}
	case EventRefund, EventClawback:
		if c.Authorisation != 0 || (c.ProtectedCaptures != 0 && -c.UnprotectedCaptures != s.UnprotectedCaptures) {
			return fmt.Errorf("%s %+v of %+v", e.Type, e, s)
		}
	}
	return nil
}

// books checks the sums with big integers, apart from CheckInvariants.
func (w *walker) books() error {
	sum, fees := new(big.Int), new(big.Int)
	for n, value := range w.state.Balances.values() {
		sum.Add(sum, big.NewInt(value))
		if n > 0 && value < 0 {
			return fmt.Errorf("%s is %d", balanceNames()[n], value)
		}
	}
	for _, value := range w.state.CustomerFee.values() {
		fees.Add(fees, big.NewInt(value))
		if value < 0 {
			return fmt.Errorf("customer fee %+v", w.state.CustomerFee)
		}
	}
	if sum.Cmp(big.NewInt(w.initial.OrderTotal)) != 0 || fees.Cmp(big.NewInt(w.initial.CustomerFeeSum)) != 0 {
		return fmt.Errorf("sums are %s and %s of %+v", sum, fees, w.state)
	}
	return nil
}

// finish checks that the history leads to the state.
func (w *walker) finish() error {
	if got := Recompute(w.initial, w.events); got != w.state {
		return fmt.Errorf("recomputed %+v, walked to %+v", got, w.state)
	}
	return nil
}

// known passes the refusals there may be.
func known(err error) error {
	var field *FieldError
	var conflict *ConflictError
	if errors.As(err, &field) || errors.As(err, &conflict) || errors.Is(err, ErrNothingToDo) {
		return nil
	}
	return fmt.Errorf("a refusal without a kind: %w", err)
}

var actions = [...]Action{
	ActionCapture, ActionCapture, ActionCaptureRemaining, ActionRefund, ActionRefund, ActionVoid, ActionVoidRemaining,
	ActionExpiry, ActionClawback, ActionAdjustment,
}

// amount turns two arbitrary numbers into an amount of interest: small ones,
// some of what there is, one more than there is, pick at all.
func (w *walker) amount(kind, pick uint64) int64 {
	s := w.state
	of := func(bound int64) int64 {
		if bound <= 0 {
			return int64(pick % 3)
		}
		return 1 + int64(pick%uint64(bound))
	}
	edges := [...]int64{
		0, 1, -1, math.MinInt64, math.MaxInt64, s.Authorisation, s.ProtectedCaptures + s.UnprotectedCaptures,
		s.UnprotectedCaptures, s.OrderTotal, overcaptureLimit(s),
	}
	switch kind % 6 {
	case 0, 1:
		return of(s.Authorisation)
	case 2, 3:
		return of(s.ProtectedCaptures + s.UnprotectedCaptures)
	case 4:
		edge := edges[pick%uint64(len(edges))]
		return edge + int64(pick>>32%3) - 1 // wraps at the ends of the range, on purpose
	}
	return int64(pick)
}

// changes draws an adjustment: mostly between two buckets, sometimes wild.
func (w *walker) changes(kind, pick uint64) Changes {
	amount := w.amount(kind, pick)
	if kind%16 > 2 { // small, so that some pass
		amount = 1 + int64(pick%5)
	}
	var values [7]int64
	values[pick>>16%7] += amount
	values[pick>>24%7] -= amount
	if kind%32 == 0 {
		values[pick>>40%7]++
	}
	return Changes{values[0], values[1], values[2], values[3], values[4], values[5], values[6]}
}

// command draws a command from two arbitrary numbers.
func (w *walker) command(kind, pick uint64) (Settings, Command) {
	c := Command{Action: actions[kind%uint64(len(actions))], Amount: w.amount(kind>>8, pick)}
	switch kind >> 16 % 16 {
	case 0:
		c.Version = V1
	case 1:
		c.Version = V2
	case 2:
		c.Version = w.state.Version
	}
	if w.state.Version == V1 && kind>>16%16 > 1 {
		c.Version = V1
	}
	// Actions that end a walk are made rare.
	if kind>>24%3 != 0 && (c.Action == ActionCaptureRemaining || c.Action == ActionVoidRemaining || c.Action == ActionExpiry) {
		c.Action = ActionCapture
	}
	if c.Action == ActionAdjustment {
		c.Changes = w.changes(kind>>8, pick)
	}
	return Settings{Overcaptures: kind>>32%4 == 0}, c
}

// start draws a deferred payment from two arbitrary numbers.
func start(kind, pick uint64) *walker {
	sizes := [...]uint64{10, 1000, 1_000_000, math.MaxInt64}
	total := int64(1 + pick%sizes[kind%4])
	protected := int64(pick >> 1 % uint64(total))
	if kind>>2%2 == 0 {
		protected = total
	}
	fee := int64(pick >> 7 % (uint64(total)/10 + 1))
	s, err := New(total, protected, fee, StatusAccepted)
	if err != nil {
		panic(err)
	}
	return &walker{initial: s, state: s}
}

func TestRandomWalk(t *testing.T) {
	t.Parallel()
	const walks, steps = 400, 100
	done := map[string]int{}
	for seed := range uint64(walks) {
		random := rand.New(rand.NewPCG(seed, 2026))
		w := start(random.Uint64(), random.Uint64())
		for n := range steps {
			set, c := w.command(random.Uint64(), random.Uint64())
			if err := w.step(set, c); err != nil {
				t.Fatalf("walk %d, step %d, %+v, %+v on %+v: %v", seed, n, set, c, w.state, err)
			}
		}
		if err := w.finish(); err != nil {
			t.Fatalf("walk %d: %v", seed, err)
		}
		for _, e := range w.events {
			done[e.Type]++
		}
	}
	for _, event := range []string{EventCapture, EventRefund, EventVoid, EventExpiry, EventClawback, EventAdjustment} {
		if done[event] < 50 {
			t.Errorf("only %d of %s: the walk does not go everywhere (%v)", done[event], event, done)
		}
	}
}

func TestLongWalk(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 2))
	w := start(2, random.Uint64())
	for n := range 20_000 {
		set, c := w.command(random.Uint64(), random.Uint64())
		if err := w.step(set, c); err != nil {
			t.Fatalf("step %d, %+v, %+v on %+v: %v", n, set, c, w.state, err)
		}
	}
	if err := w.finish(); err != nil {
		t.Fatal(err)
	}
}

func TestWalkProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := start(rapid.Uint64().Draw(t, "size"), rapid.Uint64().Draw(t, "start"))
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			set, c := w.command(rapid.Uint64().Draw(t, "kind"), rapid.Uint64().Draw(t, "amount"))
			if err := w.step(set, c); err != nil {
				t.Fatalf("%+v, %+v on %+v: %v", set, c, w.state, err)
			}
		}
		if err := w.finish(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzWalk reads a payment and commands from the bytes, sixteen at a time.
func FuzzWalk(f *testing.F) {
	f.Add(make([]byte, 64))
	seed := make([]byte, 16*40)
	random := rand.New(rand.NewPCG(1, 1))
	for n := range seed {
		seed[n] = byte(random.Uint32())
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		var w *walker
		for ; len(data) >= 16; data = data[16:] {
			kind, pick := binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[8:])
			if w == nil {
				w = start(kind, pick)
				continue
			}
			set, c := w.command(kind, pick)
			if err := w.step(set, c); err != nil {
				t.Fatalf("%+v, %+v on %+v: %v", set, c, w.state, err)
			}
		}
		if w != nil {
			if err := w.finish(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
