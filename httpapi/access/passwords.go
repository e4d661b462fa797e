package access

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// errBusy says that a password was not compared.
var errBusy = errors.New("too many passwords are being compared")

// passwords compares passwords with their hashes, one at a time, since that takes a core for a while. What was right or wrong
// before is known without. Wrong ones cannot drive right ones out.
type passwords struct {
	logins logins

	mu           sync.Mutex
	right, wrong *cache
	pace         *paceState
	// underWay are closed when the comparison of the login has ended.
	underWay map[login]chan struct{}
}

func newPasswords() *passwords {
	return &passwords{logins: newLogins(), right: newCache(), wrong: newCache(), pace: newPaceState(), underWay: map[login]chan struct{}{}}
}

// check reports whether the password is that of the user, or errBusy. What it does for a name that is no user's takes as
// long as for one that is.
func (p *passwords) check(ctx context.Context, client string, users map[string][]byte, name, password string) (bool, error) {
	hash, isUser := users[name]
	if !isUser {
		hash = p.standIn(users, name)
	}
	l := p.logins.of(name, hash, password)
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	for {
		right, known, ended, wait := p.look(l)
		switch {
		case known:
			return right && isUser, nil
		case !wait:
			right, err := p.compare(ctx, client, hash, password)
			p.end(l, right && isUser, err)
			return right && isUser, err
		}
		// A page asks for many things at once: their password is compared once.
		if err := p.follow(ctx, client, ended); err != nil {
			return false, err
		}
	}
}

// enter lets a request from an address wait in a queue, until it calls leave.
func (p *passwords) enter(q *queue, client string) (leave func(), err error) {
	from := networkOf(client)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !q.enter(from) {
		return nil, errBusy
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		q.leave(from)
	}, nil
}

// follow waits until a comparison has ended that another request has begun.
func (p *passwords) follow(ctx context.Context, client string, ended chan struct{}) error {
	leave, err := p.enter(&p.pace.following, client)
	if err != nil {
		return err
	}
	defer leave()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return errBusy
	}
}

// look returns what is known of the login, or what to wait for. If there is neither, the caller compares, and calls end.
func (p *passwords) look(l login) (right, known bool, ended chan struct{}, wait bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if right = p.right.known[l]; right || p.wrong.known[l] {
		return right, true, nil, false
	}
	if ended, wait = p.underWay[l]; !wait {
		p.underWay[l] = make(chan struct{})
	}
	return false, false, ended, wait
}

// end takes the result of a comparison, or that there is none.
func (p *passwords) end(l login, right bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.underWay[l])
	delete(p.underWay, l)
	switch {
	case err != nil:
	case right:
		p.right.add(l)
	default:
		p.wrong.add(l)
	}
}

// standIn returns the hash of some user, always the same for a name that is no user's.
func (p *passwords) standIn(users map[string][]byte, name string) []byte {
	names := slices.Sorted(maps.Keys(users))
	l := p.logins.of(name, nil, "")
	return users[names[int(l[0])%len(names)]]
}

func (p *passwords) compare(ctx context.Context, client string, hash []byte, password string) (bool, error) {
	leave, err := p.enter(&p.pace.waiting, client)
	if err != nil {
		return false, err
	}
	defer leave()
	end, err := p.turn(ctx, client)
	if err != nil {
		return false, err
	}
	defer end()
	if err := p.rest(ctx); err != nil {
		return false, err
	}
	begin := time.Now()
	right := bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pace.compared(now, now.Sub(begin), right)
	return right, nil
}

// turn waits until the request may compare; then end must be called.
func (p *passwords) turn(ctx context.Context, client string) (end func(), err error) {
	from := networkOf(client)
	p.mu.Lock()
	turn := p.pace.turns.wait(from)
	p.mu.Unlock()
	select {
	case <-turn:
		return func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.pace.turns.end()
		}, nil
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		p.pace.turns.cancel(from, turn)
		return nil, errBusy
	}
}

// rest waits until something may be compared again.
func (p *passwords) rest(ctx context.Context) error {
	p.mu.Lock()
	next := p.pace.next
	p.mu.Unlock()
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return errBusy
	}
}
