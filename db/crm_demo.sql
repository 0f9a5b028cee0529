-- What crm_demo.py runs: variables companies, news, visits (numbers of rows), as_of, seed and lists of names are set.

-- How old a company's news and visits are, in days: the first one's range, then that of all others; none without a
-- range. Strict and inclusive are the tiers that follow. Shares are percent.
create temp table role as
select *, sum(share) over (order by nr) as upto
from (values
    (1, 'both lately', 12, 0, 6, 0, 400, 0, 6, 0, 400, 'HIGH', 'HIGH'),
    (2, 'visit on the boundary', 4, 0, 6, 0, 400, 7, 7, 7, 400, 'MEDIUM', 'HIGH'),
    (3, 'news on the boundary', 4, 7, 7, 7, 400, 0, 6, 0, 400, 'MEDIUM', 'HIGH'),
    (4, 'both on the boundary', 2, 7, 7, 7, 400, 7, 7, 7, 400, 'MEDIUM', 'HIGH'),
    (5, 'news, no visit', 8, 0, 6, 0, 400, null, null, null, null, 'MEDIUM', 'MEDIUM'),
    (6, 'news this month', 12, 8, 29, 8, 400, 0, 6, 0, 400, 'MEDIUM', 'MEDIUM'),
    (7, 'news a month ago', 4, 30, 30, 30, 400, 0, 6, 0, 400, 'LOW', 'MEDIUM'),
    (8, 'visits only', 16, null, null, null, null, 0, 6, 0, 400, 'LOW', 'LOW'),
    (9, 'long ago', 16, 31, 400, 31, 400, 31, 400, 31, 400, 'LOW', 'LOW'),
    (10, 'dated ahead', 4, -9, -1, -9, -1, -9, -1, -9, -1, 'LOW', 'LOW'),
    (11, 'quiet', 18, null, null, null, null, null, null, null, null, 'LOW', 'LOW')
) as r(
    nr, name, share, news_first, news_first_to, news_from, news_to,
    visit_first, visit_first_to, visit_from, visit_to, strict, inclusive
);

create temp macro pick(id, salt, n) as (hash(id, getvariable('seed'), salt) % n)::int;
create temp macro one_of(id, salt, choices) as choices[pick(id, salt, len(choices)) + 1];
create temp macro days_ago(n) as getvariable('as_of')::date - n::int;
create temp macro age_between(id, salt, low, high) as low + pick(id, salt, high - low + 1);
create temp macro plain(name) as lower(strip_accents(replace(name, ' ', '')));

-- Some companies have no domain on file, and so only contacts with free mail; of some nobody is known.
create temp table drawn as
select
    i as id,
    i % 40 = 0 as nameless,
    i % 23 = 0 and i % 40 <> 0 as unpeopled,
    one_of(i, 'name', getvariable('beginnings')) as beginning,
    lower(replace(beginning, ' ', '-')) || '-' || i || '.example.' || one_of(i, 'tld', ['com', 'org', 'net']) as host,
    case
        when nameless then 'visits only'
        else (select min_by(name, upto) from role where upto > pick(i, 'role', 100))
    end as role
from range(1, getvariable('companies')::bigint + 1) as t(i);

create table companies as
select
    id,
    case
        when pick(id, 'address', 10) > 0
        then (1 + pick(id, 'no', 900)) || ' Example Street, '
            || one_of(id, 'city', ['Austin, TX', 'Portland, OR', 'Leeds', 'Utrecht', 'Graz', 'Lyon'])
    end as address,
    case
        when nameless then null
        else case pick(id, 'shape', 8)
            when 0 then upper(host)
            when 1 then 'www.' || host
            when 2 then ' ' || host || ' '
            when 3 then 'https://www.' || host || '/'
            else host
        end
    end as domain,
    beginning || ' ' || one_of(id, 'ending', getvariable('endings')) as name,
    5 + pick(id, 'size', 4000) as employees
from drawn
order by id;

insert into companies select getvariable('companies')::bigint + 1, null, 'gmail.com', 'Mistyped Ltd', null;

create temp table person as
with drawn_person as (
    select
        row_number() over (order by c.id, k) as id,
        c.id as company_id,
        c.host,
        c.id * 8 + k as n,
        one_of(n, 'first', getvariable('firsts')) as first_name,
        one_of(n, 'last', getvariable('lasts')) as last_name,
        plain(first_name) || '.' || plain(last_name) as local_part,
        one_of(n, 'kind', [
            'business', 'business', 'free mail', 'role', 'broken', 'missing', 'disposable', 'business'
        ]) as wanted,
        case
            when k = 1 then if(nameless, 'free mail', 'business')
            when nameless and wanted in ('business', 'role') then 'free mail'
            else wanted
        end as address_kind,
        one_of(n, 'outreach', ['never', 'lately', 'on the boundary', 'before', 'dated ahead', 'never']) as written
    from drawn as c, range(1, 5) as t(k)
    where not unpeopled and k <= 1 + pick(c.id, 'people', 4)
)
select
    *,
    case address_kind
        when 'business' then local_part || id || '@' || host
        when 'free mail' then replace(local_part, '.', '_') || '_' || id || '@gmail.com'
        when 'role' then 'info@' || host
        when 'broken'
        then one_of(id, 'broken', [local_part || '.' || host, local_part || '@', 'n/a', local_part || ' @' || host || '..'])
        when 'disposable' then local_part || id || '@mailinator.com'
    end as address
from drawn_person;

create table contacts as
select
    company_id,
    id,
    first_name,
    case when pick(id, 'nameless', 12) > 0 then last_name end as last_name,
    case pick(id, 'letters', 6) when 0 then upper(address) when 1 then ' ' || address else address end as email,
    case when pick(id, 'phone', 3) > 0 then '+1-202-555-01' || lpad((id % 100)::varchar, 2, '0') end as phone,
    one_of(id, 'title', ['Head of Operations', 'Buyer', 'CTO', null]) as title
from person
order by id;

create temp table known_visitor as
select company_id, list(address order by id) as addresses
from person
where address_kind in ('business', 'free mail', 'role')
group by company_id;

-- Three tenths are about these companies, of each one at least; the others about nobody in the file.
create table news_publications as
with matched as (
    select
        i,
        c.host,
        case
            when i < getvariable('companies')::bigint
            then age_between(i, 'first news', r.news_first, r.news_first_to)
            else age_between(i, 'news', r.news_from, r.news_to)
        end as age
    from range(0, (getvariable('companies') + getvariable('news') * 3 // 10)::bigint) as t(i)
    join drawn as c
        on c.id = 1 + if(i < getvariable('companies'), i, hash(i, getvariable('seed'), 'news') % getvariable('companies'))
    join role as r on r.name = c.role
    where r.news_first is not null
), foreigner as (
    select i, 'newcomer-' || i % 90000 || '.example.info' as host, pick(i, 'age of news', 400) as age
    from range(
        ((getvariable('companies') + getvariable('news')) * 2)::bigint,
        ((getvariable('companies') + getvariable('news')) * 2 + getvariable('news') * 7 // 10)::bigint
    ) as t(i)
), published as (
    select i, age, if(pick(i, 'letters', 9) = 0, upper(host), host) as host
    from (from matched union all from foreigner)
)
select
    i + 1 as id,
    case pick(i, 'headline', 6)
        when 0 then 'Opens a second site'
        when 1 then 'Raises a new round'
        when 2 then 'Is hiring'
        when 3 then 'Names a new chief executive'
        when 4 then 'Wins a large contract'
        else 'Moves into a new market'
    end as headline,
    case pick(i, 'scheme', 6)
        when 0 then 'HTTP://'
        when 1 then ''
        when 2 then 'http://'
        when 3 then 'http://www.'
        when 4 then 'https://'
        else 'https://www.'
    end || host || case pick(i, 'path', 24)
        when 0 then ':8080/'
        when 1 then '?from=feed'
        when 2 then '#top'
        when 3 then '/news?id=' || i
        when 4 then '/'
        when 5 then '/'
        when 6 then '/'
        else if(i % 2 = 0, '', '/press/2024/' || i)
    end as company_website,
    days_ago(age) as publication_date_utc,
    case pick(i, 'publisher', 3) when 0 then 'Example Wire' when 1 then 'Example Times' end as publisher
from published
union all
select
    (getvariable('companies') + getvariable('news')) * 4 + i,
    null,
    one_of(i, 'odd website', [null, '', 'n/a', 'https://']),
    days_ago(pick(i, 'odd age', 40)),
    null
from range(1, 2 + getvariable('news')::bigint // 200) as t(i)
union all
select (getvariable('companies') + getvariable('news')) * 5 + i, 'Undated', 'https://nobody.example.info', null, null
from range(1, 2 + getvariable('news')::bigint // 500) as t(i);

insert into news_publications from news_publications where id % 100 = 7;

create table website_visits as
with matched as (
    select
        i,
        case
            when v.addresses is not null and (c.nameless or pick(i, 'through', 5) < 3)
            then v.addresses[1 + pick(i, 'visitor', len(v.addresses))]
            else 'visitor' || pick(i, 'stranger', 9000) || '@' || c.host
        end as email,
        case
            when i < getvariable('companies')::bigint
            then age_between(i, 'first visit', r.visit_first, r.visit_first_to)
            else age_between(i, 'visit', r.visit_from, r.visit_to)
        end as age
    from range(0, (getvariable('companies') + getvariable('visits') * 3 // 10)::bigint) as t(i)
    join drawn as c
        on c.id = 1 + if(i < getvariable('companies'), i, hash(i, getvariable('seed'), 'visit') % getvariable('companies'))
    join role as r on r.name = c.role
    left join known_visitor as v on v.company_id = c.id
    where r.visit_first is not null
), foreigner as (
    select
        i,
        if(
            pick(i, 'free mail', 3) = 0,
            'somebody_' || i % 400000 || '@gmail.com',
            'guest' || i % 300000 || '@newcomer-' || i % 90000 || '.example.info'
        ) as email,
        pick(i, 'age of visit', 400) as age
    from range(
        ((getvariable('companies') + getvariable('visits')) * 2)::bigint,
        ((getvariable('companies') + getvariable('visits')) * 2 + getvariable('visits') * 7 // 10)::bigint
    ) as t(i)
)
select
    i + 1 as id,
    case pick(i, 'letters', 9) when 0 then upper(email) when 1 then email || ' ' else email end as email,
    days_ago(age) as event_date_utc,
    case pick(i, 'page', 3) when 0 then '/pricing' when 1 then '/docs' else '/' end as page
from (from matched union all from foreigner)
union all
select
    (getvariable('companies') + getvariable('visits')) * 4 + i,
    one_of(i, 'odd visitor', [null, '', 'n/a', '@']),
    days_ago(pick(i, 'odd age', 40)),
    '/'
from range(1, 2 + getvariable('visits')::bigint // 200) as t(i)
union all
select (getvariable('companies') + getvariable('visits')) * 5 + i, 'somebody_1@gmail.com', null, '/'
from range(1, 2 + getvariable('visits')::bigint // 500) as t(i);

insert into website_visits from website_visits where id % 100 = 7;

-- Mails to contacts, to people who are no contacts any more, drafts to nobody, and answers of contacts, some of which
-- are dated before the mail they answer.
create table outreach_emails as
with mail as (
    select
        id,
        address,
        if(pick(id, 'letters of to', 5) = 0, upper(address), address) as "to",
        days_ago(case written
            when 'lately' then pick(id, 'sent', 14)
            when 'on the boundary' then 14
            when 'dated ahead' then -1 - pick(id, 'sent', 5)
            else 15 + pick(id, 'sent', 200)
        end) as sent,
        'rep' || pick(id, 'rep', 5) || '@example.com' as rep,
        one_of(id, 'subject', ['Quick question', 'Your rollout', 'Following up']) as subject
    from person
    where written <> 'never' and address is not null
)
select id, "to", rep as "from", subject, sent as sent_date_utc, 'sent' as folder
from mail
union all
select getvariable('companies') * 8 + id, rep, address, 'Re: ' || subject, sent + pick(id, 'answer', 7) - 3, 'inbox'
from mail
where pick(id, 'answered', 3) = 0
union all
select getvariable('companies') * 16 + id, 'old' || id || '@nobody.example.info', rep, 'Hello', sent, 'sent'
from mail
where id % 5 = 0
union all
select getvariable('companies') * 24 + id, null, rep, null, null, 'drafts'
from mail
where id % 50 = 0;

insert into outreach_emails from outreach_emails where id % 100 = 7;

create schema planted;

create table planted.companies as
select c.id, c.role, r.strict, r.inclusive
from drawn as c
join role as r on r.name = c.role
union all
select getvariable('companies')::bigint + 1, 'quiet', 'LOW', 'LOW'
order by 1;

create table planted.contacts as
select id, company_id, address_kind, if(address is null, 'never', written) as written
from person
order by id;
