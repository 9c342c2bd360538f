-- Changes in place of what lets people in: the bank's own programs replace second factors and keys, but
-- whoever has the database can write over them. What a use writes down (when, which recovery code is used
-- up) is no change; a code that is good again is one.

-- name: accounts_note_factor_update
-- Note what was done to a second factor; of one that is given to somebody else, both people are told.
CREATE FUNCTION accounts_note_factor_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_told jsonb := coalesce(nullif(current_setting('pghistory.context_metadata', true), ''), '{}')::jsonb;
    v_moved boolean := OLD.user_id <> NEW.user_id OR OLD.type <> NEW.type;
BEGIN
    INSERT INTO public.accounts_credentialchange (person_id, what, by_id, detail, credential, address, device)
    SELECT
        noted.person_id,
        noted.what,
        (v_told ->> 'by')::bigint,
        '',
        coalesce(v_told ->> 'credential', ''),
        (v_told ->> 'address')::inet,
        coalesce(v_told ->> 'device', '')
    FROM (
        VALUES
        (OLD.user_id, OLD.type || '_removed', v_moved),
        (NEW.user_id, NEW.type || '_added', v_moved),
        (NEW.user_id, NEW.type || '_changed', NOT v_moved)
    ) AS noted (person_id, what, holds)
    WHERE noted.holds;
    INSERT INTO public.accounts_untold (place)
    SELECT DISTINCT 'person:' || person_id
    FROM unnest(ARRAY[OLD.user_id, NEW.user_id]) AS person_id
    WHERE v_moved;
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION accounts_note_factor_update() FROM PUBLIC;

CREATE TRIGGER note_changed AFTER UPDATE ON mfa_authenticator
FOR EACH ROW WHEN (
    OLD.user_id <> NEW.user_id OR OLD.type <> NEW.type
    OR OLD.data - 'used_mask' IS DISTINCT FROM NEW.data - 'used_mask'
    OR (OLD.data ->> 'used_mask')::bigint & ~coalesce((NEW.data ->> 'used_mask')::bigint, 0) <> 0
)
EXECUTE FUNCTION accounts_note_factor_update();

CREATE TRIGGER note_changed_email AFTER UPDATE ON account_emailaddress
FOR EACH ROW WHEN (OLD.email <> NEW.email)
EXECUTE FUNCTION accounts_note_credential('email_changed', 'user_id', 'email');

-- name: accounts_note_lost_email
-- Note that an e-mail address was given to somebody else, for whom it was taken from.
CREATE FUNCTION accounts_note_lost_email() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_told jsonb := coalesce(nullif(current_setting('pghistory.context_metadata', true), ''), '{}')::jsonb;
BEGIN
    INSERT INTO public.accounts_credentialchange (person_id, what, detail, by_id, credential, address, device)
    VALUES (
        OLD.user_id,
        'email_removed',
        OLD.email,
        (v_told ->> 'by')::bigint,
        coalesce(v_told ->> 'credential', ''),
        (v_told ->> 'address')::inet,
        coalesce(v_told ->> 'device', '')
    );
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION accounts_note_lost_email() FROM PUBLIC;

CREATE TRIGGER note_lost_email AFTER UPDATE ON account_emailaddress
FOR EACH ROW WHEN (OLD.user_id <> NEW.user_id)
EXECUTE FUNCTION accounts_note_lost_email();

CREATE TRIGGER note_taken_email AFTER UPDATE ON account_emailaddress
FOR EACH ROW WHEN (OLD.user_id <> NEW.user_id)
EXECUTE FUNCTION accounts_note_credential('email_added', 'user_id', 'email');

DROP TRIGGER note_revoked ON accounts_apikey;

CREATE TRIGGER note_revoked AFTER UPDATE ON accounts_apikey
FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
EXECUTE FUNCTION accounts_note_credential('key_revoked', 'person_id', 'prefix');

CREATE TRIGGER note_restored AFTER UPDATE ON accounts_apikey
FOR EACH ROW WHEN (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NULL)
EXECUTE FUNCTION accounts_note_credential('key_restored', 'person_id', 'prefix');

CREATE TRIGGER note_changed AFTER UPDATE ON accounts_apikey
FOR EACH ROW WHEN (
    (OLD.person_id, OLD.prefix, OLD.digest, OLD.scopes, OLD.expires_at)
    IS DISTINCT FROM (NEW.person_id, NEW.prefix, NEW.digest, NEW.scopes, NEW.expires_at)
    OR OLD.largest_transfer IS DISTINCT FROM NEW.largest_transfer
)
EXECUTE FUNCTION accounts_note_credential('key_changed', 'person_id', 'prefix');
