package party

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestMerge(t *testing.T) {
	t.Parallel()
	has := []Grant{{"org-a", Admin}, {"org-b", Member}}
	for name, c := range map[string]struct {
		given, all, added, changed []Grant
	}{
		"nothing":         {nil, has, nil, nil},
		"the same again":  {[]Grant{{"org-b", Member}}, has, nil, nil},
		"another role":    {[]Grant{{"org-a", ReadOnly}}, []Grant{{"org-a", ReadOnly}, {"org-b", Member}}, nil, []Grant{{"org-a", ReadOnly}}},
		"one more":        {[]Grant{{"org-c", Member}}, append(has[:2:2], Grant{"org-c", Member}), []Grant{{"org-c", Member}}, nil},
		"twice, the last": {[]Grant{{"org-c", Member}, {"org-c", Admin}}, append(has[:2:2], Grant{"org-c", Admin}), []Grant{{"org-c", Admin}}, nil},
		"there and back":  {[]Grant{{"org-a", Member}, {"org-a", Admin}}, has, nil, nil},
	} {
		all, added, changed := merge(has, c.given)
		if d := cmp.Diff([][]Grant{c.all, c.added, c.changed}, [][]Grant{all, added, changed}); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if has[0] != (Grant{"org-a", Admin}) {
		t.Error("merge changed what it was given")
	}
}

// TestMergeProperties holds merge against its words: nothing is lost, the last
// role given counts, no organisation stands twice, and what is told as new or
// changed is the difference.
func TestMergeProperties(t *testing.T) {
	t.Parallel()
	grants := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Grant {
		return Grant{rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "organisation"),
			rapid.SampledFrom([]Role{Admin, Member, ReadOnly}).Draw(t, "role")}
	}))
	rapid.Check(t, func(t *rapid.T) {
		has, _, _ := merge(nil, grants.Draw(t, "has"))
		given := grants.Draw(t, "given")
		all, added, changed := merge(has, given)
		before, want, now := map[string]Role{}, map[string]Role{}, map[string]Role{}
		for i, g := range has {
			before[g.OrganisationID], want[g.OrganisationID] = g.Role, g.Role
			if all[i].OrganisationID != g.OrganisationID {
				t.Fatalf("the order changed: %v after %v", all, has)
			}
		}
		for _, g := range given {
			want[g.OrganisationID] = g.Role
		}
		for _, g := range all {
			now[g.OrganisationID] = g.Role
		}
		if len(now) != len(all) || !cmp.Equal(now, want) {
			t.Fatalf("%v and %v made %v", has, given, all)
		}
		for _, g := range append(added, changed...) {
			if before[g.OrganisationID] == g.Role {
				t.Fatalf("%v is told as a change of %v", g, has)
			}
			before[g.OrganisationID] = g.Role
		}
		if !cmp.Equal(before, want) {
			t.Fatalf("the changes %v %v do not lead from %v to %v", added, changed, has, all)
		}
	})
}
