package main

type companiesCommand struct{}
type openAPICommand struct{}
type demoCommand struct{}

func (openAPICommand) Run(sys *system) error { return nil }
func (demoCommand) Run(sys *system) error    { return nil }
