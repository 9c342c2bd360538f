-- Finding people by what somebody says of them: by how words of their names begin, whatever the case and
-- the accents; by how the e-mail address begins; by how the telephone number ends.

-- name: accounts_words_v1
-- The words of a name as they are looked for: without accents, in small letters.
CREATE FUNCTION public.accounts_words_v1(p_name text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN to_tsvector(
    'pg_catalog.simple'::regconfig, regexp_replace(normalize(p_name, NFKD), '[\u0300-\u036F]', '', 'g')
);

-- name: accounts_beginnings_v1
-- What finds names that have, for each word of a text, one that begins with it; NULL for a text without
-- words. The words are told apart as those of the names are.
CREATE FUNCTION public.accounts_beginnings_v1(p_text text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT string_agg(
        '''' || replace(replace(w.lexeme, '\', '\\'), '''', '''''') || ''':*', ' & '
    )::tsquery
    FROM unnest(public.accounts_words_v1(p_text)) AS w
);

CREATE INDEX user_by_words_of_name ON public.accounts_user
USING gin (public.accounts_words_v1(full_name));
CREATE INDEX user_by_beginning_of_email ON public.accounts_user (lower(email) text_pattern_ops);
CREATE INDEX user_by_end_of_phone ON public.accounts_user (reverse(phone) text_pattern_ops);

-- Requests about a person, and about an account.
CREATE INDEX approval_about_person ON public.accounts_approval ((payload -> 'person'));
CREATE INDEX approval_about_account ON public.accounts_approval ((payload -> 'account'));
