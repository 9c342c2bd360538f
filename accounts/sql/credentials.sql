-- What changes of what people show who they are by: passwords, e-mail addresses, second factors, API
-- keys. Triggers write it down, by whomever it is changed, and no secret with it. Who it was and from where
-- is told by accounts/audit.py, as to the audit's own triggers.

-- name: accounts_note_credential
-- Note a change: what it is (or _added, _removed, after the row's type), whose row, and what tells it from others.
CREATE FUNCTION accounts_note_credential() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_row jsonb := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    v_told jsonb := coalesce(nullif(current_setting('pghistory.context_metadata', true), ''), '{}')::jsonb;
    v_what text := TG_ARGV[0];
BEGIN
    INSERT INTO public.accounts_credentialchange (person_id, what, detail, by_id, credential, address, device)
    VALUES (
        (v_row ->> TG_ARGV[1])::bigint,
        CASE WHEN v_what LIKE '\_%' THEN (v_row ->> 'type') || v_what ELSE v_what END,
        coalesce(v_row ->> TG_ARGV[2], ''),
        (v_told ->> 'by')::bigint,
        coalesce(v_told ->> 'credential', ''),
        (v_told ->> 'address')::inet,
        coalesce(v_told ->> 'device', '')
    );
    RETURN NULL;
END
$$;

-- name: accounts_note_second_factor
-- The cache must be told whether a person has a second factor.
CREATE FUNCTION accounts_note_second_factor() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.accounts_untold (place)
    VALUES ('person:' || CASE TG_OP WHEN 'DELETE' THEN OLD.user_id ELSE NEW.user_id END);
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION accounts_note_credential(), accounts_note_second_factor() FROM PUBLIC;

CREATE TRIGGER note_password AFTER UPDATE ON accounts_user
FOR EACH ROW WHEN (OLD.password IS DISTINCT FROM NEW.password)
EXECUTE FUNCTION accounts_note_credential('password_changed', 'id', '');

CREATE TRIGGER note_email AFTER UPDATE ON accounts_user
FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email)
EXECUTE FUNCTION accounts_note_credential('email_changed', 'id', 'email');

-- The first one comes with the person.
CREATE TRIGGER note_added_email AFTER INSERT ON account_emailaddress
FOR EACH ROW WHEN (NOT NEW."primary")
EXECUTE FUNCTION accounts_note_credential('email_added', 'user_id', 'email');

CREATE TRIGGER note_removed_email AFTER DELETE ON account_emailaddress
FOR EACH ROW EXECUTE FUNCTION accounts_note_credential('email_removed', 'user_id', 'email');

CREATE TRIGGER note_added AFTER INSERT ON mfa_authenticator
FOR EACH ROW EXECUTE FUNCTION accounts_note_credential('_added', 'user_id', '');

CREATE TRIGGER note_removed AFTER DELETE ON mfa_authenticator
FOR EACH ROW EXECUTE FUNCTION accounts_note_credential('_removed', 'user_id', '');

CREATE TRIGGER note_untold AFTER INSERT OR DELETE ON mfa_authenticator
FOR EACH ROW EXECUTE FUNCTION accounts_note_second_factor();

CREATE TRIGGER note_made AFTER INSERT ON accounts_apikey
FOR EACH ROW EXECUTE FUNCTION accounts_note_credential('key_made', 'person_id', 'prefix');

CREATE TRIGGER note_revoked AFTER UPDATE ON accounts_apikey
FOR EACH ROW WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at)
EXECUTE FUNCTION accounts_note_credential('key_revoked', 'person_id', 'prefix');

-- The triggers alone write it.
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON accounts_credentialchange FROM bank_app;
